-- The name of a public, living group of a public, living owner.
SELECT
    g.id,
    g.name AS text,
    1 + coalesce(m.members, 0) * 2 AS weight,
    '/groups/' || g.permalink AS permalink
FROM groups g
JOIN users u ON u.id = g.owner_id AND u.visibility = 'public' AND u.deleted_at IS NULL
LEFT JOIN (
    SELECT group_id, count(*) AS members FROM group_members WHERE :wanted(group_id) GROUP BY group_id
) m ON m.group_id = g.id
WHERE :wanted(g.id) AND g.visibility = 'public' AND g.deleted_at IS NULL
