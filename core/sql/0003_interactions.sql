-- What people were shown, and what they did with it. A partition a day, made when its first row
-- comes; the day is that of the search, which its id tells. Nothing here says who somebody is:
-- there is no address, and ids of users and sessions are hashed with a secret.

CREATE TABLE disco.searches (
    day date NOT NULL,
    query_id text NOT NULL,
    -- Hits on the pages before: a search has a row for each page that was shown.
    first integer NOT NULL CHECK (first >= 0),
    searched_at timestamptz NOT NULL,
    -- What was searched for, folded.
    text text NOT NULL,
    types text[] NOT NULL,
    every_type boolean NOT NULL,
    -- Hits on all pages, counted up to 10,000.
    total integer NOT NULL,
    took_ms integer NOT NULL,
    -- The hits in the order in which they were shown.
    hit_types text[] NOT NULL,
    hit_ids text[] NOT NULL CHECK (cardinality(hit_ids) = cardinality(hit_types)),
    -- Whose hit each is, where two variants were interleaved.
    teams text[] CHECK (cardinality(teams) = cardinality(hit_ids)),
    -- What answered.
    variant text NOT NULL,
    experiment text,
    generations jsonb NOT NULL,
    edition text,
    user_hash text,
    session_hash text,
    PRIMARY KEY (day, query_id, first)
) PARTITION BY RANGE (day);

CREATE TABLE disco.interactions (
    day date NOT NULL,
    query_id text NOT NULL,
    -- The client's own: the same id of the same search is the same interaction.
    id text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('impression', 'click', 'play', 'dwell')),
    entity_type text NOT NULL,
    entity_id text NOT NULL,
    position integer NOT NULL CHECK (position > 0),
    done_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    -- How long, of a play or a dwell.
    seconds double precision,
    PRIMARY KEY (day, query_id, id)
) PARTITION BY RANGE (day);
