-- What a public, living user is called.
SELECT
    u.id,
    u.display_name AS text,
    1 + coalesce(f.followers, 0) + coalesce(p.plays, 0) * 0.1 AS weight,
    '/' || u.username AS permalink
FROM users u
LEFT JOIN (
    SELECT followee_id, count(*) AS followers FROM follows WHERE :wanted(followee_id) GROUP BY followee_id
) f ON f.followee_id = u.id
LEFT JOIN (
    SELECT s.user_id, sum(p.count) AS plays
    FROM sounds s
    JOIN plays p ON p.sound_id = s.id
    WHERE :wanted(s.user_id)
    GROUP BY s.user_id
) p ON p.user_id = u.id
WHERE :wanted(u.id) AND u.visibility = 'public' AND u.deleted_at IS NULL
