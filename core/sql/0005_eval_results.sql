-- What variants of search reached by sets of judgments: `disco eval run` writes it, the dashboard
-- shows how it changes over time.

CREATE TABLE disco.eval_results (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    set_name text NOT NULL REFERENCES disco.judgment_sets (name) ON DELETE CASCADE,
    made_at timestamptz NOT NULL,
    -- Queries that have judgments, and so count.
    queries integer NOT NULL CHECK (queries > 0)
);
CREATE INDEX eval_results_made_at ON disco.eval_results (made_at);
CREATE INDEX eval_results_set_name ON disco.eval_results (set_name);

CREATE TABLE disco.eval_values (
    result_id bigint NOT NULL REFERENCES disco.eval_results (id) ON DELETE CASCADE,
    variant text NOT NULL,
    measure text NOT NULL,
    value double precision NOT NULL,
    -- What it must not be below; null: nobody said so.
    floor double precision,
    PRIMARY KEY (result_id, variant, measure)
);
