-- What shows a user's name or handle, and what shows sounds that are public only while their user
-- is: sets by others that contain them.
SELECT 'sound' AS entity, s.id FROM sounds s WHERE s.user_id = ANY($1::bigint[])
UNION ALL
SELECT 'group', g.id FROM groups g WHERE g.owner_id = ANY($1::bigint[])
UNION ALL
SELECT 'set', x.id
FROM (
    SELECT s.id FROM sets s WHERE s.user_id = ANY($1::bigint[])
    UNION
    SELECT ss.set_id
    FROM sounds s
    JOIN set_sounds ss ON ss.sound_id = s.id
    WHERE s.user_id = ANY($1::bigint[])
) x
