-- Roles of the database with no more rights than they need. A superuser runs it in the database of the
-- catalogue, once the application's tables are there; it can be run again, and has to be when there
-- are new tables:
--
--     psql -v ON_ERROR_STOP=1 -d catalogue -f core/roles.sql
--
-- Then give each process a user of its own, such as
--
--     CREATE ROLE worker LOGIN PASSWORD '…' IN ROLE disco_worker;
--     CREATE ROLE ana LOGIN PASSWORD '…' IN ROLE disco_operator;
--     ALTER ROLE ana SET role = 'disco_operator';
--
-- The last has what an operator makes belong to all operators.
-- The catalogue's tables are taken to be in the schema `public`.

DO $$
DECLARE wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['disco_worker', 'disco_api', 'disco_operator'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
        END IF;
    END LOOP;
END
$$;

-- Workers, the ranker and builds of suggestions read the catalogue, and write nothing.
GRANT USAGE ON SCHEMA public TO disco_worker, disco_operator;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO disco_worker, disco_operator;

-- Operators own the service's own schema: the first of their commands after an upgrade changes it.
-- So they have it before anybody else is given rights in it.
CREATE SCHEMA IF NOT EXISTS disco AUTHORIZATION disco_operator;
ALTER DEFAULT PRIVILEGES FOR ROLE disco_operator IN SCHEMA disco GRANT SELECT ON TABLES TO disco_api;

-- The query API looks up keys. It never reads the catalogue: answers come from the engine.
GRANT USAGE ON SCHEMA disco TO disco_api;
GRANT SELECT ON ALL TABLES IN SCHEMA disco TO disco_api;

-- It writes down what was searched for and what people did with it, and forgets it in time.
DO $$
DECLARE written text;
BEGIN
    FOREACH written IN ARRAY ARRAY['disco.searches', 'disco.interactions'] LOOP
        IF to_regclass(written) IS NOT NULL THEN
            EXECUTE format('GRANT INSERT, DELETE ON %s TO disco_api', written);
        END IF;
    END LOOP;
END
$$;
