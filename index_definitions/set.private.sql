-- Sets that nobody may find, and what they are called.
SELECT s.id, s.title AS name
FROM sets s
JOIN users u ON u.id = s.user_id
WHERE s.visibility <> 'public' OR s.deleted_at IS NOT NULL OR u.visibility <> 'public' OR u.deleted_at IS NOT NULL
