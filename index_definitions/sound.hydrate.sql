-- The document of a public, living sound of a public, living user.
SELECT
    s.id,
    s.updated_at,
    -- Composed, as queries are: decomposed Korean or Japanese would never be found.
    CASE WHEN s.title IS NFC NORMALIZED THEN s.title ELSE normalize(s.title) END AS title,
    CASE WHEN u.display_name IS NFC NORMALIZED THEN u.display_name ELSE normalize(u.display_name) END AS subtitle,
    '/' || u.username || '/' || s.permalink AS permalink,
    s.description,
    g.name AS genre,
    t.tags,
    s.user_id,
    u.username AS user_handle,
    s.duration_ms,
    s.license,
    s.downloadable,
    -- What activity adds up to; a thousandth of a doubling is exact enough.
    h.last_at AS active_at,
    round(h.day::numeric, 3) AS heat_day,
    round(h.week::numeric, 3) AS heat_week,
    round(h.month::numeric, 3) AS heat_month,
    s.created_at
FROM sounds s
JOIN users u ON u.id = s.user_id AND u.visibility = 'public' AND u.deleted_at IS NULL
LEFT JOIN genres g ON g.id = s.genre_id
LEFT JOIN sound_heat h ON h.sound_id = s.id
LEFT JOIN (
    -- Many people may give a sound many tags: those that most agree on, so that a document stays
    -- small, in one order for the digest.
    SELECT p.sound_id, (array_agg(t.name ORDER BY p.people DESC, p.tag_id))[:50] AS tags
    FROM (
        SELECT st.sound_id, st.tag_id, count(*) AS people
        FROM sound_tags st
        WHERE :wanted(st.sound_id)
        GROUP BY st.sound_id, st.tag_id
    ) p
    JOIN tags t ON t.id = p.tag_id
    GROUP BY p.sound_id
) t ON t.sound_id = s.id
WHERE :wanted(s.id) AND s.visibility = 'public' AND s.deleted_at IS NULL
