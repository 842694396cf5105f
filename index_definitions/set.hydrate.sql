-- The document of a public, living set of a public, living user.
SELECT
    s.id,
    s.updated_at,
    -- Composed, as queries are: decomposed Korean or Japanese would never be found.
    CASE WHEN s.title IS NFC NORMALIZED THEN s.title ELSE normalize(s.title) END AS title,
    CASE WHEN u.display_name IS NFC NORMALIZED THEN u.display_name ELSE normalize(u.display_name) END AS subtitle,
    '/' || u.username || '/sets/' || s.permalink AS permalink,
    s.description,
    s.kind,
    c.sounds,
    c.sound_ids,
    coalesce(c.sound_count, 0)::integer AS sound_count,
    s.user_id,
    u.username AS user_handle,
    s.created_at
FROM sets s
JOIN users u ON u.id = s.user_id AND u.visibility = 'public' AND u.deleted_at IS NULL
LEFT JOIN (
    -- Only what everybody may see, and no more than 100 titles, so that a document stays small.
    SELECT
        ss.set_id,
        count(*) AS sound_count,
        (array_agg(o.title ORDER BY ss.position, ss.sound_id))[:100] AS sounds,
        (array_agg(ss.sound_id ORDER BY ss.position, ss.sound_id))[:100] AS sound_ids
    FROM set_sounds ss
    JOIN sounds o ON o.id = ss.sound_id AND o.visibility = 'public' AND o.deleted_at IS NULL
    JOIN users ou ON ou.id = o.user_id AND ou.visibility = 'public' AND ou.deleted_at IS NULL
    WHERE :wanted(ss.set_id)
    GROUP BY ss.set_id
) c ON c.set_id = s.id
WHERE :wanted(s.id) AND s.visibility = 'public' AND s.deleted_at IS NULL
