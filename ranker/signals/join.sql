-- Somebody is a member of a group.
SELECT
    'user' AS source_type, user_id AS source_id,
    'group' AS target_type, group_id AS target_id,
    1 AS count, joined_at AS last_at
FROM group_members
