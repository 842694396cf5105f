-- The document of a public, living group of a public, living owner.
SELECT
    g.id,
    g.updated_at,
    g.name AS title,
    u.display_name AS subtitle,
    '/groups/' || g.permalink AS permalink,
    g.description,
    g.owner_id AS user_id,
    u.username AS user_handle,
    g.created_at
FROM groups g
JOIN users u ON u.id = g.owner_id AND u.visibility = 'public' AND u.deleted_at IS NULL
WHERE :wanted(g.id) AND g.visibility = 'public' AND g.deleted_at IS NULL
