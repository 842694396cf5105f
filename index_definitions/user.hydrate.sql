-- The document of a public, living user.
SELECT
    u.id,
    u.updated_at,
    u.display_name AS title,
    nullif(concat_ws(', ', u.city, u.country_code), '') AS subtitle,
    '/' || u.username AS permalink,
    u.username AS handle,
    u.full_name,
    u.city,
    u.country_code AS country,
    u.description,
    u.verified,
    u.created_at
FROM users u
WHERE :wanted(u.id) AND u.visibility = 'public' AND u.deleted_at IS NULL
