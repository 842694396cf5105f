-- The document of a public, living sound of a public, living user.
SELECT
    s.id,
    s.updated_at,
    s.title,
    u.display_name AS subtitle,
    '/' || u.username || '/' || s.permalink AS permalink,
    s.description,
    g.name AS genre,
    t.tags,
    s.user_id,
    u.username AS user_handle,
    s.duration_ms,
    s.license,
    s.downloadable,
    s.created_at
FROM sounds s
JOIN users u ON u.id = s.user_id AND u.visibility = 'public' AND u.deleted_at IS NULL
LEFT JOIN genres g ON g.id = s.genre_id
LEFT JOIN (
    -- Several people may give a sound the same tag: distinct names, in one order for the digest.
    SELECT st.sound_id, array_agg(DISTINCT t.name COLLATE "C" ORDER BY t.name COLLATE "C") AS tags
    FROM sound_tags st
    JOIN tags t ON t.id = st.tag_id
    WHERE :wanted(st.sound_id)
    GROUP BY st.sound_id
) t ON t.sound_id = s.id
WHERE :wanted(s.id) AND s.visibility = 'public' AND s.deleted_at IS NULL
