-- Sets that show the sound's title.
SELECT DISTINCT 'set' AS entity, ss.set_id AS id
FROM set_sounds ss
WHERE ss.sound_id = ANY($1::bigint[])
