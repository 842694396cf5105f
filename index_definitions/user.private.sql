-- People whom nobody may find, and what they are called.
SELECT u.id, u.display_name AS name
FROM users u
WHERE u.visibility <> 'public' OR u.deleted_at IS NOT NULL
