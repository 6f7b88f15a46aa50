-- agents: tasks, engrams, and a replica of erebus's user_references. Port 5441.

CREATE TYPE public.source_type AS ENUM ('wallet', 'api_key', 'oauth');

-- The columns that erebus publishes. No UNIQUE on the source: erebus has it, and a worker would stop at
-- what is a duplicate here only for a moment.
CREATE TABLE public.user_references (
    id uuid PRIMARY KEY,
    source_type public.source_type NOT NULL,
    source_identifier text NOT NULL,
    display_name text,
    is_active boolean NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

COMMENT ON TABLE public.user_references IS 'Replica of user_references of erebus. READ only: nothing but replication writes it.';

CREATE INDEX user_references_source ON public.user_references (source_type, source_identifier);

-- Foreign keys to a replica are checked for rows that are written here, not when erebus deletes a user. So
-- tasks keep the id of a user who is gone.
CREATE TABLE public.tasks (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id uuid,
    kind text NOT NULL,
    status text NOT NULL DEFAULT 'submitted'
        CHECK (status IN ('submitted', 'working', 'input-required', 'completed', 'failed', 'canceled')),
    payload jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX tasks_user_id ON public.tasks (user_id);

CREATE TABLE public.engrams (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id uuid,
    key text NOT NULL,
    content jsonb NOT NULL,
    version integer NOT NULL DEFAULT 1,
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (user_id, key)
);

CREATE TABLE public.engram_history (
    engram_id uuid NOT NULL REFERENCES public.engrams (id) ON DELETE CASCADE,
    version integer NOT NULL,
    content jsonb NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (engram_id, version)
);

-- Who keeps users in memory listens on the channel user_references. The path is set, since a worker's is
-- empty.
CREATE FUNCTION public.notify_user_references() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM pg_notify('user_references', coalesce(NEW.id, OLD.id)::text);
    RETURN NULL;
END;
$$;

CREATE TRIGGER trg_user_references_changed AFTER INSERT OR UPDATE OR DELETE ON public.user_references
    FOR EACH ROW EXECUTE FUNCTION public.notify_user_references();
