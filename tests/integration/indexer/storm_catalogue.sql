-- Where a storm begins: 300 people, 3,000 sounds, 400 sets of six sounds, 100 groups.
-- Sound n and set n are of user (n - 1) % 300 + 1, group n of user n.
insert into genres (name) select 'genre ' || n from generate_series(1, 10) as n;
insert into tags (name) select 'tag ' || n from generate_series(1, 40) as n;
insert into users (username, display_name, city)
select 'user-' || n, 'User ' || n, 'City ' || n % 20 from generate_series(1, 300) as n;
insert into sounds (user_id, title, permalink, genre_id, duration_ms)
select (n - 1) % 300 + 1, 'Sound ' || n, 'sound-' || n, n % 10 + 1, 1000 + n
from generate_series(1, 3000) as n;
insert into sets (user_id, title, permalink)
select (n - 1) % 300 + 1, 'Set ' || n, 'set-' || n from generate_series(1, 400) as n;
insert into groups (owner_id, name, permalink)
select n, 'Group ' || n, 'group-' || n from generate_series(1, 100) as n;
insert into set_sounds (set_id, sound_id, position)
select s, (s * 7 + k * 31) % 3000 + 1, k
from generate_series(1, 400) as s, generate_series(1, 6) as k;
insert into sound_tags (sound_id, tag_id)
select n, n % 40 + 1 from generate_series(1, 3000, 2) as n;
analyze;
