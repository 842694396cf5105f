-- The operation log: a row for every action of an operator, kept for good.

CREATE TABLE disco.operations (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- What was done, as <area>.<verb>, and to what: an entity type, an edition, a key.
    action text NOT NULL CHECK (action ~ '^[a-z_]+\.[a-z_]+$'),
    subject text NOT NULL,
    -- Who did it, and by which way in.
    actor text NOT NULL,
    via text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- While it runs, it is heard of every few seconds. One that is not has lost its process.
    heard_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz,
    outcome text NOT NULL DEFAULT 'running'
        CHECK (outcome IN ('running', 'done', 'refused', 'failed')),
    before jsonb,
    after jsonb,
    progress jsonb,
    -- Why a check that had failed was overridden.
    override_reason text,
    -- Why it was refused, or failed.
    error text,
    CHECK ((outcome = 'running') = (finished_at IS NULL))
);

-- A log that can be rewritten proves nothing.
CREATE FUNCTION disco.keep_operation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'operation % is over: what the log says of it stays', OLD.id
        USING ERRCODE = 'integrity_constraint_violation';
END
$$;

CREATE TRIGGER operations_are_kept BEFORE UPDATE ON disco.operations
    FOR EACH ROW WHEN (OLD.outcome <> 'running') EXECUTE FUNCTION disco.keep_operation();

CREATE TRIGGER operations_stay BEFORE DELETE ON disco.operations
    FOR EACH ROW EXECUTE FUNCTION disco.keep_operation();

-- The log as people read it. Silence is six heartbeats long (core/operation_log.py).
CREATE VIEW disco.operation_history AS
SELECT
    id, action, subject, actor, via, started_at, finished_at, before, after, progress,
    override_reason, error,
    CASE
        WHEN outcome = 'running' AND heard_at < clock_timestamp() - interval '30 seconds'
            THEN 'abandoned'
        ELSE outcome
    END AS outcome
FROM disco.operations;
