-- Somebody likes a sound.
SELECT
    'user' AS source_type, user_id AS source_id,
    'sound' AS target_type, sound_id AS target_id,
    1 AS count, created_at AS last_at
FROM likes
