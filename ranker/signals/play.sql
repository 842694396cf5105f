-- Somebody plays a sound, mostly several times.
SELECT
    'user' AS source_type, user_id AS source_id,
    'sound' AS target_type, sound_id AS target_id,
    count, last_played_at AS last_at
FROM plays
