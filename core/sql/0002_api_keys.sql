-- Keys of the HTTP API. The secret itself is nowhere: what is kept cannot be used as a key.

CREATE TABLE disco.api_keys (
    -- The part of a key that may be told: it names the key in lists and logs.
    id text PRIMARY KEY CHECK (id ~ '^[0-9a-f]{12}$'),
    -- Whose key it is, or what for.
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    -- SHA-256 of the secret, which is random and as long as the hash: nothing can be guessed from it.
    secret_hash bytea NOT NULL CHECK (length(secret_hash) = 32),
    scopes text[] NOT NULL CHECK (cardinality(scopes) > 0),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamptz,
    revoked_at timestamptz
);
