-- Somebody follows somebody.
SELECT
    'user' AS source_type, follower_id AS source_id,
    'user' AS target_type, followee_id AS target_id,
    1 AS count, created_at AS last_at
FROM follows
