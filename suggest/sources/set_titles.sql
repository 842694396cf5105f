-- The title of a public, living set of a public, living user.
SELECT
    s.id,
    s.title AS text,
    1 + coalesce(f.followers, 0) * 0.1 AS weight,
    '/' || u.username || '/sets/' || s.permalink AS permalink
FROM sets s
JOIN users u ON u.id = s.user_id AND u.visibility = 'public' AND u.deleted_at IS NULL
LEFT JOIN (
    SELECT followee_id, count(*) AS followers
    FROM follows
    WHERE followee_id IN (SELECT o.user_id FROM sets o WHERE :wanted(o.id))
    GROUP BY followee_id
) f ON f.followee_id = u.id
WHERE :wanted(s.id) AND s.visibility = 'public' AND s.deleted_at IS NULL
