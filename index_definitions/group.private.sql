-- Groups that nobody may find, and what they are called.
SELECT g.id, g.name
FROM groups g
JOIN users u ON u.id = g.owner_id
WHERE g.visibility <> 'public' OR g.deleted_at IS NOT NULL OR u.visibility <> 'public' OR u.deleted_at IS NOT NULL
