-- The document of a public, living user.
SELECT
    u.id,
    u.updated_at,
    -- Composed, as queries are: decomposed Korean or Japanese would never be found.
    CASE WHEN u.display_name IS NFC NORMALIZED THEN u.display_name ELSE normalize(u.display_name) END AS title,
    nullif(concat_ws(', ', u.city, u.country_code), '') AS subtitle,
    '/' || u.username AS permalink,
    u.username AS handle,
    u.full_name,
    u.city,
    u.country_code AS country,
    u.description,
    u.verified,
    -- What activity adds up to; a thousandth of a doubling is exact enough.
    h.last_at AS active_at,
    round(h.day::numeric, 3) AS heat_day,
    round(h.week::numeric, 3) AS heat_week,
    round(h.month::numeric, 3) AS heat_month,
    u.created_at
FROM users u
LEFT JOIN user_heat h ON h.user_id = u.id
WHERE :wanted(u.id) AND u.visibility = 'public' AND u.deleted_at IS NULL
