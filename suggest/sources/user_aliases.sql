-- What else a public, living user is called: the handle, and the name on the passport.
SELECT
    u.id,
    a.text,
    1 + coalesce(f.followers, 0) AS weight,
    '/' || u.username AS permalink
FROM users u
CROSS JOIN LATERAL (VALUES (u.username), (u.full_name)) AS a (text)
LEFT JOIN (
    SELECT followee_id, count(*) AS followers FROM follows WHERE :wanted(followee_id) GROUP BY followee_id
) f ON f.followee_id = u.id
WHERE :wanted(u.id) AND u.visibility = 'public' AND u.deleted_at IS NULL
    AND a.text IS NOT NULL AND lower(a.text) <> lower(u.display_name)
