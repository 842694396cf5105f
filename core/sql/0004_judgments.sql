-- Judgments: how well entities answer queries, as raters see it.

CREATE TABLE disco.judgment_sets (
    name text PRIMARY KEY CHECK (name ~ '^[a-z0-9][a-z0-9._-]{0,63}$'),
    -- What raters are asked for: thumbs (0, 1) or grades (0 to 3).
    scale text NOT NULL CHECK (scale IN ('grades', 'thumbs')),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE disco.judged_queries (
    set_name text NOT NULL REFERENCES disco.judgment_sets (name) ON DELETE CASCADE,
    -- As files of TREC name the query: an id without blanks.
    id text NOT NULL CHECK (id !~ '\s' AND length(id) BETWEEN 1 AND 200),
    -- What somebody types.
    text text NOT NULL CHECK (length(text) BETWEEN 1 AND 512),
    -- In the order in which they came: raters meet them in it.
    place bigint GENERATED ALWAYS AS IDENTITY,
    PRIMARY KEY (set_name, id)
);

-- One row a rater, and no history: who judges anew has changed his mind.
CREATE TABLE disco.judgments (
    set_name text NOT NULL,
    query_id text NOT NULL,
    entity_type text NOT NULL CHECK (entity_type ~ '^[a-z][a-z0-9_]{0,63}$'),
    entity_id text NOT NULL CHECK (entity_id !~ '\s' AND length(entity_id) BETWEEN 1 AND 512),
    rater text NOT NULL CHECK (length(rater) BETWEEN 1 AND 300),
    grade integer NOT NULL CHECK (grade BETWEEN -10000 AND 10000),
    judged_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (set_name, query_id, entity_type, entity_id, rater),
    FOREIGN KEY (set_name, query_id)
        REFERENCES disco.judged_queries (set_name, id) ON DELETE CASCADE
);
