-- The title and the artist of a sound that is played, for those who know both.
SELECT
    s.id,
    s.title || ' by ' || u.display_name AS text,
    p.plays AS weight,
    '/' || u.username || '/' || s.permalink AS permalink
FROM sounds s
JOIN users u ON u.id = s.user_id AND u.visibility = 'public' AND u.deleted_at IS NULL
JOIN (
    SELECT sound_id, sum(count) AS plays FROM plays WHERE :wanted(sound_id) GROUP BY sound_id
) p ON p.sound_id = s.id
WHERE :wanted(s.id) AND s.visibility = 'public' AND s.deleted_at IS NULL
