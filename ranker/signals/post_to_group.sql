-- A sound was posted to a group.
SELECT
    'group' AS source_type, group_id AS source_id,
    'sound' AS target_type, sound_id AS target_id,
    1 AS count, posted_at AS last_at
FROM group_sounds
