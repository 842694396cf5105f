-- The title of a public, living sound of a public, living user.
SELECT
    s.id,
    s.title AS text,
    1 + coalesce(p.plays, 0) + coalesce(l.likes, 0) * 2 AS weight,
    '/' || u.username || '/' || s.permalink AS permalink
FROM sounds s
JOIN users u ON u.id = s.user_id AND u.visibility = 'public' AND u.deleted_at IS NULL
LEFT JOIN (
    SELECT sound_id, sum(count) AS plays FROM plays WHERE :wanted(sound_id) GROUP BY sound_id
) p ON p.sound_id = s.id
LEFT JOIN (
    SELECT sound_id, count(*) AS likes FROM likes WHERE :wanted(sound_id) GROUP BY sound_id
) l ON l.sound_id = s.id
WHERE :wanted(s.id) AND s.visibility = 'public' AND s.deleted_at IS NULL
