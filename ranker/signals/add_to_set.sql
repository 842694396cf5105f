-- A sound is in a set.
SELECT
    'set' AS source_type, set_id AS source_id,
    'sound' AS target_type, sound_id AS target_id,
    1 AS count, added_at AS last_at
FROM set_sounds
