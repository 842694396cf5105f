-- Somebody comments on a sound, perhaps several times.
SELECT
    'user' AS source_type, user_id AS source_id,
    'sound' AS target_type, sound_id AS target_id,
    count(*) AS count, max(created_at) AS last_at
FROM comments
GROUP BY user_id, sound_id
