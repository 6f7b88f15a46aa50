-- erebus: users, their wallets, sessions and keys. Port 5440.

CREATE TYPE public.source_type AS ENUM ('wallet', 'api_key', 'oauth');

CREATE TABLE public.user_references (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    source_type public.source_type NOT NULL,
    source_identifier text NOT NULL,
    display_name text,
    -- These two stay here: the replication has a list of columns.
    api_key_hash text,
    oauth_subject text,
    is_active boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (source_type, source_identifier)
);

COMMENT ON TABLE public.user_references IS 'Who a user is: by wallet, API key or OAuth. Replicated to agents.';

CREATE TABLE public.wallets (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL REFERENCES public.user_references (id) ON DELETE CASCADE,
    chain text NOT NULL,
    address text NOT NULL,
    connected_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (chain, address)
);

CREATE INDEX wallets_user_id ON public.wallets (user_id);

CREATE TABLE public.sessions (
    token_hash text PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES public.user_references (id) ON DELETE CASCADE,
    expires_at timestamptz NOT NULL
);

CREATE INDEX sessions_user_id ON public.sessions (user_id);
CREATE INDEX sessions_expires_at ON public.sessions (expires_at);

CREATE TABLE public.agent_api_keys (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL REFERENCES public.user_references (id) ON DELETE CASCADE,
    provider text NOT NULL,
    encrypted_key bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (user_id, provider)
);

-- A worker does not run it: it is in the mode origin, and replicated rows bring their updated_at.
CREATE FUNCTION public.set_updated_at() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END;
$$;

CREATE TRIGGER trg_user_references_updated_at BEFORE UPDATE ON public.user_references
    FOR EACH ROW EXECUTE FUNCTION public.set_updated_at();
