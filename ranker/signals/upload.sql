-- Somebody made a sound, a set or a group, and owns it.
SELECT
    'user' AS source_type, user_id AS source_id,
    'sound' AS target_type, id AS target_id,
    1 AS count, created_at AS last_at
FROM sounds
UNION ALL
SELECT 'user', user_id, 'set', id, 1, created_at FROM sets
UNION ALL
SELECT 'user', owner_id, 'group', id, 1, created_at FROM groups
