-- The document of a public, living group of a public, living owner.
SELECT
    g.id,
    g.updated_at,
    -- Composed, as queries are: decomposed Korean or Japanese would never be found.
    CASE WHEN g.name IS NFC NORMALIZED THEN g.name ELSE normalize(g.name) END AS title,
    CASE WHEN u.display_name IS NFC NORMALIZED THEN u.display_name ELSE normalize(u.display_name) END AS subtitle,
    '/groups/' || g.permalink AS permalink,
    g.description,
    g.owner_id AS user_id,
    u.username AS user_handle,
    g.created_at
FROM groups g
JOIN users u ON u.id = g.owner_id AND u.visibility = 'public' AND u.deleted_at IS NULL
WHERE :wanted(g.id) AND g.visibility = 'public' AND g.deleted_at IS NULL
