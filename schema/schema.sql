-- nova_memory: what a group of agents knows, shares and does, in one PostgreSQL database.
--
-- This file is the desired state. `novaops plan` shows what a database lacks of it, `novaops apply`
-- brings the database there; it also loads into an empty database with `psql -1 -v ON_ERROR_STOP=1`.
--
-- Conventions
--   * The comment of a table says who reads and who writes it: an agent that meets "permission
--     denied" reads it there and asks whoever may.
--   * Every function pins its search_path and every name in it is qualified. The workers of logical
--     replication run triggers under an empty search_path, where an unqualified name is an error
--     that stops the subscription. pg_temp is named last, because unnamed it would come first.
--   * A function that writes what its caller may not write is SECURITY DEFINER. It checks the caller
--     by session_user, the role that logged in, which neither SET ROLE nor a function changes.
--   * Grants are each installation's own; examples/agent_grants.sql has those for a group of agents.
--   * Triggers have the default mode (ORIGIN) here; what a replica of a table needs instead is
--     declared for that replica, not in this file.

CREATE EXTENSION IF NOT EXISTS vector;


-- ---------------------------------------------------------------------------------------------
-- Shared by many tables
-- ---------------------------------------------------------------------------------------------

CREATE FUNCTION public.set_updated_at() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END;
$$;

COMMENT ON FUNCTION public.set_updated_at() IS 'Keeps the column updated_at of the row''s table.';


-- ---------------------------------------------------------------------------------------------
-- People and what is known of them
-- ---------------------------------------------------------------------------------------------

CREATE TABLE public.entities (
    id serial PRIMARY KEY,
    name varchar(255) NOT NULL,
    type varchar(50) DEFAULT 'person',
    full_name text,
    description text,
    created_at timestamp DEFAULT now(),
    updated_at timestamp DEFAULT now(),
    CONSTRAINT entities_type_check CHECK (type IN ('person', 'ai', 'organization', 'pet', 'stuffed_animal'))
);

COMMENT ON TABLE public.entities IS 'Central entity registry. READ for all agents. WRITE for memory extraction only.';

CREATE INDEX idx_entities_name ON public.entities (name);
CREATE INDEX idx_entities_type ON public.entities (type);

CREATE TRIGGER trg_entities_updated_at BEFORE UPDATE ON public.entities
    FOR EACH ROW EXECUTE FUNCTION public.set_updated_at();

CREATE TABLE public.entity_facts (
    id serial PRIMARY KEY,
    entity_id int NOT NULL REFERENCES public.entities (id),
    key varchar(255) NOT NULL,
    value text NOT NULL,
    confidence float DEFAULT 1.0,
    source varchar(255),
    learned_at timestamp DEFAULT now(),
    data_type varchar(20) DEFAULT 'observation',
    vote_count int DEFAULT 1,
    last_confirmed timestamp DEFAULT now(),
    CONSTRAINT entity_facts_confidence_check CHECK (confidence BETWEEN 0 AND 1),
    CONSTRAINT entity_facts_data_type_check
        CHECK (data_type IN ('permanent', 'identity', 'preference', 'temporal', 'observation'))
);

COMMENT ON TABLE public.entity_facts IS 'Key-value facts about entities. READ for all agents. WRITE for memory extraction only.';

CREATE INDEX idx_entity_facts_entity_id ON public.entity_facts (entity_id);
CREATE INDEX idx_entity_facts_key ON public.entity_facts (key);

CREATE TABLE public.entity_relationships (
    id serial PRIMARY KEY,
    entity_a int NOT NULL REFERENCES public.entities (id),
    entity_b int NOT NULL REFERENCES public.entities (id),
    relationship varchar(100) NOT NULL,
    since timestamp,
    notes text,
    is_long_distance boolean DEFAULT false,
    seriousness varchar(20) DEFAULT 'standard',
    CONSTRAINT entity_relationships_not_with_itself CHECK (entity_a <> entity_b)
);

COMMENT ON TABLE public.entity_relationships IS 'How entities are connected. READ for all agents. WRITE for memory extraction only.';

CREATE INDEX idx_entity_relationships_entity_a ON public.entity_relationships (entity_a);
CREATE INDEX idx_entity_relationships_entity_b ON public.entity_relationships (entity_b);

CREATE TABLE public.places (
    id serial PRIMARY KEY,
    name varchar(255) NOT NULL,
    type varchar(50),
    location text,
    description text,
    created_at timestamp DEFAULT now()
);

COMMENT ON TABLE public.places IS 'Locations, venues, networks and virtual spaces. READ for all agents. WRITE for memory extraction only.';

CREATE INDEX idx_places_name ON public.places (name);

CREATE TABLE public.events (
    id serial PRIMARY KEY,
    title text NOT NULL,
    description text,
    event_date timestamp NOT NULL,
    place_id int REFERENCES public.places (id) ON DELETE SET NULL,
    source varchar(255),
    created_at timestamp DEFAULT now()
);

COMMENT ON TABLE public.events IS 'What happened when. READ for all agents. WRITE for memory extraction only.';

CREATE INDEX idx_events_date ON public.events (event_date);


-- ---------------------------------------------------------------------------------------------
-- Projects and tasks
-- ---------------------------------------------------------------------------------------------

CREATE TABLE public.projects (
    id serial PRIMARY KEY,
    name varchar(255) UNIQUE NOT NULL,
    status varchar(50) DEFAULT 'active',
    goal text,
    notes text,
    git_config jsonb,
    repo_url text,
    -- NOT NULL: a lock that is neither on nor off would be a way around the guard below.
    locked boolean NOT NULL DEFAULT false,
    created_at timestamp DEFAULT now(),
    updated_at timestamp DEFAULT now(),
    CONSTRAINT projects_status_check CHECK (status IN ('active', 'paused', 'completed', 'blocked'))
);

COMMENT ON TABLE public.projects IS 'Project tracking. For repo-backed projects (locked=TRUE), use GitHub for management.';

CREATE FUNCTION public.prevent_locked_project_update() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT OLD.locked THEN
        RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
    END IF;
    -- IS FALSE: NULL does not unlock.
    IF TG_OP = 'UPDATE' AND NEW.locked IS FALSE THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'Project % is locked. Set locked=FALSE first to modify.', OLD.name
        USING ERRCODE = 'object_not_in_prerequisite_state', TABLE = TG_TABLE_NAME, SCHEMA = TG_TABLE_SCHEMA;
END;
$$;

COMMENT ON FUNCTION public.prevent_locked_project_update() IS 'Stops UPDATE (except to locked = FALSE) and DELETE of locked projects.';

CREATE FUNCTION public.prevent_locked_project_truncate() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF EXISTS (SELECT FROM public.projects WHERE locked) THEN
        RAISE EXCEPTION 'Table projects holds locked projects. Set locked=FALSE first to truncate.'
            USING ERRCODE = 'object_not_in_prerequisite_state', TABLE = TG_TABLE_NAME, SCHEMA = TG_TABLE_SCHEMA;
    END IF;
    RETURN NULL;
END;
$$;

COMMENT ON FUNCTION public.prevent_locked_project_truncate() IS 'Stops TRUNCATE while a project is locked.';

CREATE TRIGGER trg_projects_locked BEFORE UPDATE OR DELETE ON public.projects
    FOR EACH ROW EXECUTE FUNCTION public.prevent_locked_project_update();
CREATE TRIGGER trg_projects_locked_truncate BEFORE TRUNCATE ON public.projects
    FOR EACH STATEMENT EXECUTE FUNCTION public.prevent_locked_project_truncate();
CREATE TRIGGER trg_projects_updated_at BEFORE UPDATE ON public.projects
    FOR EACH ROW EXECUTE FUNCTION public.set_updated_at();

CREATE TABLE public.tasks (
    id serial PRIMARY KEY,
    project_id int REFERENCES public.projects (id),
    parent_task_id int REFERENCES public.tasks (id),
    title text NOT NULL,
    description text,
    status varchar(50) DEFAULT 'open',
    priority int DEFAULT 5,
    assigned_to varchar(100),
    due_date date,
    created_at timestamp DEFAULT now(),
    updated_at timestamp DEFAULT now(),
    completed_at timestamp,
    CONSTRAINT tasks_priority_check CHECK (priority BETWEEN 1 AND 10),
    CONSTRAINT tasks_not_its_own_parent CHECK (parent_task_id <> id)
);

COMMENT ON TABLE public.tasks IS 'Tasks of database-only projects. READ and WRITE for all agents; repo-backed projects keep theirs as GitHub issues.';

CREATE INDEX idx_tasks_project_id ON public.tasks (project_id);
CREATE INDEX idx_tasks_parent_task_id ON public.tasks (parent_task_id);

CREATE TRIGGER trg_tasks_updated_at BEFORE UPDATE ON public.tasks
    FOR EACH ROW EXECUTE FUNCTION public.set_updated_at();


-- ---------------------------------------------------------------------------------------------
-- Agents
-- ---------------------------------------------------------------------------------------------

CREATE TABLE public.agents (
    id serial PRIMARY KEY,
    name varchar(100) UNIQUE NOT NULL,
    description text,
    role varchar(100),
    provider varchar(50),
    model varchar(100),
    access_method varchar(50) NOT NULL,
    access_details jsonb,
    skills text[],
    -- A reference into a password store; never the credential itself.
    credential_ref varchar(200),
    status varchar(20) DEFAULT 'active',
    notes text,
    persistent boolean DEFAULT true,
    collaborative boolean DEFAULT false,
    instantiation_sop varchar(100),
    nickname varchar(50),
    instance_type varchar(20) DEFAULT 'subagent',
    home_dir varchar(255),
    unix_user varchar(50),
    config_reasoning text,
    fallback_model varchar(100),
    context_type text DEFAULT 'persistent',
    created_at timestamptz DEFAULT now(),
    updated_at timestamptz DEFAULT now(),
    CONSTRAINT agents_access_method_check CHECK (access_method IN ('openclaw_session', 'cli', 'api', 'browser')),
    CONSTRAINT agents_status_check CHECK (status IN ('active', 'inactive', 'suspended', 'archived')),
    CONSTRAINT agents_instance_type_check CHECK (instance_type IN ('subagent', 'peer')),
    CONSTRAINT agents_context_type_check CHECK (context_type IN ('ephemeral', 'persistent')),
    -- '*' addresses everybody.
    CONSTRAINT agents_name_check CHECK (name <> '*' AND name = btrim(name) AND name <> '')
);

COMMENT ON TABLE public.agents IS 'Agent definitions. READ-ONLY except Newhart (Agent Design/Management domain).';

-- Messages and context address agents in lower case, so names may not differ by case alone.
CREATE UNIQUE INDEX idx_agents_name_lower ON public.agents (lower(name));
CREATE INDEX idx_agents_skills ON public.agents USING gin (skills);

CREATE TRIGGER trg_agents_updated_at BEFORE UPDATE ON public.agents
    FOR EACH ROW EXECUTE FUNCTION public.set_updated_at();

CREATE TABLE public.agent_domains (
    agent_id int NOT NULL REFERENCES public.agents (id) ON DELETE CASCADE,
    domain text NOT NULL CHECK (domain <> ''),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (agent_id, domain)
);

COMMENT ON TABLE public.agent_domains IS 'Which agent answers for which domain. READ-ONLY except Newhart (Agent Design/Management domain).';

CREATE INDEX idx_agent_domains_domain ON public.agent_domains (lower(domain));

CREATE TABLE public.agent_senders (
    role name NOT NULL,
    agent_id int REFERENCES public.agents (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE NULLS NOT DISTINCT (role, agent_id)
);

COMMENT ON TABLE public.agent_senders IS 'Which database roles, and members of them, send messages as which agent; agent_id NULL is any agent. The role that has an agent''s name, the owner of agent_chat and superusers need no row. READ-ONLY except Newhart (Agent Design/Management domain).';

CREATE INDEX idx_agent_senders_agent_id ON public.agent_senders (agent_id);


-- ---------------------------------------------------------------------------------------------
-- Chat between agents
-- ---------------------------------------------------------------------------------------------

CREATE TABLE public.agent_chat (
    id serial PRIMARY KEY,
    sender text NOT NULL,
    message text NOT NULL,
    -- cardinality(): array_length() of an empty array is NULL, which a check lets pass.
    recipients text[] NOT NULL CHECK (cardinality(recipients) > 0 AND array_position(recipients, NULL) IS NULL),
    reply_to int REFERENCES public.agent_chat (id),
    "timestamp" timestamptz NOT NULL DEFAULT now()
);

COMMENT ON TABLE public.agent_chat IS 'Messages between agents. READ for all agents. WRITE through send_agent_message() only; messages are not edited.';

CREATE INDEX idx_agent_chat_recipients ON public.agent_chat USING gin (recipients);
CREATE INDEX idx_agent_chat_timestamp ON public.agent_chat ("timestamp");
CREATE INDEX idx_agent_chat_sender ON public.agent_chat (sender, "timestamp");
CREATE INDEX idx_agent_chat_reply_to ON public.agent_chat (reply_to);

CREATE TYPE public.agent_chat_status AS ENUM ('received', 'routed', 'responded', 'failed');

CREATE TABLE public.agent_chat_processed (
    chat_id int NOT NULL REFERENCES public.agent_chat (id) ON DELETE CASCADE,
    agent text NOT NULL,
    status public.agent_chat_status NOT NULL DEFAULT 'received',
    received_at timestamptz NOT NULL DEFAULT now(),
    routed_at timestamptz,
    responded_at timestamptz,
    error_message text,
    PRIMARY KEY (chat_id, agent)
);

COMMENT ON TABLE public.agent_chat_processed IS 'How far each agent got with each message. READ for all agents. WRITE for the agent named in the row.';

CREATE INDEX idx_agent_chat_processed_agent ON public.agent_chat_processed (agent, status);

CREATE FUNCTION public.may_send_as(p_agent text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT pg_has_role(session_user, c.relowner, 'MEMBER')  -- true of every superuser
        OR EXISTS (
            SELECT FROM public.agents AS a
            WHERE lower(a.name) = p_agent AND session_user IN (a.name, lower(a.name)))
        OR EXISTS (
            SELECT FROM public.agent_senders AS s
            JOIN pg_roles AS r ON r.rolname = s.role
            LEFT JOIN public.agents AS a ON a.id = s.agent_id
            WHERE (s.agent_id IS NULL OR lower(a.name) = p_agent) AND pg_has_role(session_user, r.oid, 'MEMBER'))
    FROM pg_class AS c
    WHERE c.oid = 'public.agent_chat'::regclass;
$$;

COMMENT ON FUNCTION public.may_send_as(text) IS 'Whether the role that logged in may send messages as this agent, whose name is given in lower case; see agent_senders.';

CREATE FUNCTION public.check_agent_sender(p_sender text) RETURNS void
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM public.agents AS a WHERE lower(a.name) = p_sender) THEN
        RAISE EXCEPTION 'Not in agents: %.', quote_nullable(p_sender)
            USING ERRCODE = 'foreign_key_violation', HINT = 'A sender is the name of an agent, in lower case.';
    END IF;
    IF NOT public.may_send_as(p_sender) THEN
        RAISE EXCEPTION 'Role % may not send messages as agent %.', quote_ident(session_user), quote_literal(p_sender)
            USING ERRCODE = 'insufficient_privilege', HINT = 'The table agent_senders says which roles may.';
    END IF;
END;
$$;

COMMENT ON FUNCTION public.check_agent_sender(text) IS 'Raises an error unless the sender is an agent that the role that logged in may send messages as.';

CREATE FUNCTION public.guard_agent_chat_sender() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM public.check_agent_sender(NEW.sender);
    -- Nor may a message be taken from another sender.
    IF TG_OP = 'UPDATE' AND NOT public.may_send_as(OLD.sender) THEN
        PERFORM public.check_agent_sender(OLD.sender);
    END IF;
    RETURN NEW;
END;
$$;

COMMENT ON FUNCTION public.guard_agent_chat_sender() IS 'Stops messages of senders that are no agents, or that the role that logged in may not send as.';

-- In mode ORIGIN it checks what is written here, and lets pass what is replicated: the sender was
-- checked where the message was written, and this database may not even know the agent.
CREATE TRIGGER trg_guard_agent_chat_sender BEFORE INSERT OR UPDATE OF sender ON public.agent_chat
    FOR EACH ROW EXECUTE FUNCTION public.guard_agent_chat_sender();

CREATE FUNCTION public.send_agent_message(
    p_sender text,
    p_message text,
    p_recipients text[],
    p_reply_to int DEFAULT NULL
) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_sender text := lower(btrim(p_sender));
    v_recipients text[];
    v_unknown text[];
    v_id int;
BEGIN
    IF coalesce(btrim(p_message), '') = '' THEN
        RAISE EXCEPTION 'The message is empty.' USING ERRCODE = 'invalid_parameter_value';
    END IF;

    -- Each recipient once, in the order given; '*' stands for all and makes the others superfluous.
    SELECT CASE WHEN bool_or(name = '*') THEN ARRAY['*'] ELSE array_agg(name ORDER BY first) END
    INTO v_recipients
    FROM (
        SELECT coalesce(lower(btrim(r.name)), '') AS name, min(r.position) AS first
        FROM unnest(p_recipients) WITH ORDINALITY AS r (name, position)
        GROUP BY 1
    ) AS given;
    IF v_recipients IS NULL THEN
        RAISE EXCEPTION 'The message has no recipient.'
            USING ERRCODE = 'invalid_parameter_value', HINT = 'ARRAY[''*''] addresses all agents.';
    END IF;

    SELECT array_agg(quote_nullable(n.name) ORDER BY n.name) INTO v_unknown
    FROM unnest(v_sender || v_recipients) AS n (name)
    WHERE (n.name IS DISTINCT FROM '*' OR v_sender = '*')
      AND NOT EXISTS (SELECT FROM public.agents AS a WHERE lower(a.name) = n.name);
    IF v_unknown IS NOT NULL THEN
        RAISE EXCEPTION 'Not in agents: %.', array_to_string(v_unknown, ', ')
            USING ERRCODE = 'foreign_key_violation', HINT = 'SELECT name FROM agents lists those there are.';
    END IF;
    PERFORM public.check_agent_sender(v_sender);

    INSERT INTO public.agent_chat (sender, message, recipients, reply_to)
    VALUES (v_sender, p_message, v_recipients, p_reply_to)
    RETURNING id INTO v_id;
    RETURN v_id;
END;
$$;

COMMENT ON FUNCTION public.send_agent_message(text, text, text[], int) IS 'Sends a message to agents known by name, or to all with ''*''; returns its id. Needs no right on any table; the sender must be an agent that the role that logged in may send as (agent_senders).';

CREATE FUNCTION public.notify_agent_chat() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_payload text := json_build_object('id', NEW.id, 'sender', NEW.sender, 'recipients', NEW.recipients);
BEGIN
    -- NOTIFY refuses a payload of 8000 bytes or more, and the error would end the sender's
    -- transaction or stop a replication worker. Recipients that are too many for one payload get
    -- several, each with the names of ten: 100 characters take at most 600 bytes as JSON.
    IF octet_length(v_payload) < 8000 THEN
        PERFORM pg_notify('agent_chat', v_payload);
    ELSE
        PERFORM pg_notify('agent_chat', json_build_object(
            'id', NEW.id, 'sender', left(NEW.sender, 100), 'recipients', ten.names)::text)
        FROM (
            SELECT json_agg(left(r.name, 100) ORDER BY r.position) AS names
            FROM unnest(NEW.recipients) WITH ORDINALITY AS r (name, position)
            GROUP BY (r.position - 1) / 10
        ) AS ten;
    END IF;
    RETURN NULL;
END;
$$;

COMMENT ON FUNCTION public.notify_agent_chat() IS 'Tells listeners on the channel agent_chat of a new message: {"id", "sender", "recipients"}.';

CREATE TRIGGER trg_notify_agent_chat AFTER INSERT ON public.agent_chat
    FOR EACH ROW EXECUTE FUNCTION public.notify_agent_chat();

CREATE VIEW public.v_agent_chat_recent WITH (security_invoker = true) AS
SELECT c.id, c.sender, c.recipients, c.message, c.reply_to, c."timestamp"
FROM public.agent_chat AS c
WHERE c."timestamp" > now() - interval '30 days'
ORDER BY c."timestamp" DESC, c.id DESC;

COMMENT ON VIEW public.v_agent_chat_recent IS 'Messages of the last 30 days, newest first.';

CREATE VIEW public.v_agent_chat_stats WITH (security_invoker = true) AS
SELECT
    count(*) AS total_messages,
    count(*) FILTER (WHERE c."timestamp" > now() - interval '1 day') AS messages_last_day,
    count(*) FILTER (WHERE c."timestamp" > now() - interval '7 days') AS messages_last_week,
    count(*) FILTER (WHERE '*' = ANY (c.recipients)) AS broadcasts,
    count(c.reply_to) AS replies,
    count(DISTINCT c.sender) AS senders,
    min(c."timestamp") AS first_message_at,
    max(c."timestamp") AS last_message_at
FROM public.agent_chat AS c;

COMMENT ON VIEW public.v_agent_chat_stats IS 'Summary of all messages.';


-- ---------------------------------------------------------------------------------------------
-- Jobs
-- ---------------------------------------------------------------------------------------------

CREATE TABLE public.agent_jobs (
    id serial PRIMARY KEY,
    title varchar(200),
    topic text,
    job_type varchar(50),
    agent_name varchar(50),
    requester_agent varchar(50),
    parent_job_id int REFERENCES public.agent_jobs (id),
    root_job_id int REFERENCES public.agent_jobs (id),
    status varchar(20) NOT NULL DEFAULT 'pending',
    priority int DEFAULT 5,
    notify_agents text[],
    deliverable_path text,
    deliverable_summary text,
    error_message text,
    created_at timestamp DEFAULT now(),
    CONSTRAINT agent_jobs_priority_check CHECK (priority BETWEEN 1 AND 10),
    CONSTRAINT agent_jobs_not_its_own_parent CHECK (parent_job_id <> id)
);

COMMENT ON TABLE public.agent_jobs IS 'Work handed from agent to agent. READ for all agents. WRITE for the owner (agent_name) and the requester.';

CREATE INDEX idx_agent_jobs_agent_name ON public.agent_jobs (agent_name, status);
CREATE INDEX idx_agent_jobs_parent_job_id ON public.agent_jobs (parent_job_id);
CREATE INDEX idx_agent_jobs_root_job_id ON public.agent_jobs (root_job_id);

CREATE FUNCTION public.set_agent_job_root() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- A parent that could change would have to take the roots of all descendants along.
    IF TG_OP = 'UPDATE' AND NEW.parent_job_id IS DISTINCT FROM OLD.parent_job_id THEN
        RAISE EXCEPTION 'Job % keeps its parent; make a new job instead.', OLD.id
            USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    NEW.root_job_id := coalesce(
        (SELECT coalesce(parent.root_job_id, parent.id)
         FROM public.agent_jobs AS parent WHERE parent.id = NEW.parent_job_id),
        NEW.id);
    RETURN NEW;
END;
$$;

COMMENT ON FUNCTION public.set_agent_job_root() IS 'Derives root_job_id, the job that a pipeline began with, from the parent.';

CREATE TRIGGER trg_agent_jobs_root BEFORE INSERT OR UPDATE OF parent_job_id, root_job_id ON public.agent_jobs
    FOR EACH ROW EXECUTE FUNCTION public.set_agent_job_root();


-- ---------------------------------------------------------------------------------------------
-- Context that agents are given
-- ---------------------------------------------------------------------------------------------

CREATE TABLE public.agent_bootstrap_context (
    id serial PRIMARY KEY,
    context_type text NOT NULL CHECK (context_type IN ('UNIVERSAL', 'GLOBAL', 'DOMAIN', 'AGENT')),
    context_key text NOT NULL,
    file_key text NOT NULL,
    content text NOT NULL CHECK (length(content) > 0),
    description text,
    enabled boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (context_type, context_key, file_key),
    CONSTRAINT agent_bootstrap_context_key_check
        CHECK ((context_type IN ('UNIVERSAL', 'GLOBAL')) = (context_key = '*'))
);

COMMENT ON TABLE public.agent_bootstrap_context IS 'Context given once, at the start of a session. READ through get_agent_bootstrap_context(). READ-ONLY except Newhart (Agent Design/Management domain).';

CREATE TRIGGER trg_agent_bootstrap_context_updated_at BEFORE UPDATE ON public.agent_bootstrap_context
    FOR EACH ROW EXECUTE FUNCTION public.set_updated_at();

CREATE TABLE public.agent_turn_context (
    id serial PRIMARY KEY,
    context_type text NOT NULL CHECK (context_type IN ('UNIVERSAL', 'GLOBAL', 'DOMAIN', 'AGENT')),
    context_key text NOT NULL,
    file_key text NOT NULL,
    content text NOT NULL CHECK (length(content) > 0 AND length(content) <= 500),
    enabled boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (context_type, file_key),
    CONSTRAINT agent_turn_context_key_check
        CHECK ((context_type IN ('UNIVERSAL', 'GLOBAL')) = (context_key = '*'))
);

COMMENT ON TABLE public.agent_turn_context IS 'Short rules given on every turn. READ through get_agent_turn_context(). READ-ONLY except Newhart (Agent Design/Management domain).';

CREATE TRIGGER trg_agent_turn_context_updated_at BEFORE UPDATE ON public.agent_turn_context
    FOR EACH ROW EXECUTE FUNCTION public.set_updated_at();

CREATE FUNCTION public.agent_context_applies(p_context_type text, p_context_key text, p_agent_name text) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE p_context_type
        WHEN 'DOMAIN' THEN EXISTS (
            SELECT FROM public.agents AS a
            JOIN public.agent_domains AS d ON d.agent_id = a.id
            WHERE lower(a.name) = lower(p_agent_name) AND lower(d.domain) = lower(p_context_key))
        WHEN 'AGENT' THEN lower(p_context_key) = lower(p_agent_name)
        ELSE p_context_type IN ('UNIVERSAL', 'GLOBAL')
    END;
$$;

COMMENT ON FUNCTION public.agent_context_applies(text, text, text) IS 'Whether a context record of this scope and key is meant for the agent.';

CREATE FUNCTION public.get_agent_bootstrap_context(p_agent_name text)
RETURNS TABLE (context_type text, context_key text, file_key text, content text)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT b.context_type, b.context_key, b.file_key, b.content
    FROM public.agent_bootstrap_context AS b
    WHERE b.enabled AND public.agent_context_applies(b.context_type, b.context_key, p_agent_name)
    ORDER BY array_position(ARRAY['UNIVERSAL', 'GLOBAL', 'DOMAIN', 'AGENT'], b.context_type), b.file_key, b.context_key;
$$;

COMMENT ON FUNCTION public.get_agent_bootstrap_context(text) IS 'Context records for the start of an agent''s session, widest scope first.';

CREATE FUNCTION public.get_agent_turn_context(p_agent_name text)
RETURNS TABLE (content text, truncated boolean, records_skipped int, total_chars int)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    c_budget CONSTANT int := 2000;
    v_record text;
BEGIN
    records_skipped := 0;
    total_chars := 0;
    FOR v_record IN
        SELECT t.content
        FROM public.agent_turn_context AS t
        WHERE t.enabled AND public.agent_context_applies(t.context_type, t.context_key, p_agent_name)
        ORDER BY array_position(ARRAY['UNIVERSAL', 'GLOBAL', 'DOMAIN', 'AGENT'], t.context_type), t.file_key
    LOOP
        -- The budget counts the records' own characters. One that does not fit is left out whole
        -- (half a rule may say the opposite); a shorter one after it may still fit.
        IF total_chars + length(v_record) > c_budget THEN
            records_skipped := records_skipped + 1;
        ELSE
            total_chars := total_chars + length(v_record);
            content := concat_ws(E'\n\n', content, v_record);
        END IF;
    END LOOP;
    truncated := records_skipped > 0;
    IF truncated THEN
        content := concat_ws(E'\n\n', content,
            '⚠️ Turn context truncated — some critical rules may be missing. Alert I)ruid.');
    END IF;
    content := coalesce(content, '');
    RETURN NEXT;
END;
$$;

COMMENT ON FUNCTION public.get_agent_turn_context(text) IS 'One row: the rules for every turn of an agent, at most 2000 characters of them, widest scope first.';


-- ---------------------------------------------------------------------------------------------
-- Knowledge
-- ---------------------------------------------------------------------------------------------

CREATE TABLE public.lessons (
    id serial PRIMARY KEY,
    lesson text NOT NULL,
    context text,
    source varchar(100),
    learned_at timestamp DEFAULT now(),
    original_behavior text,
    correction_source text,
    reinforced_at timestamp,
    confidence float DEFAULT 1.0,
    last_referenced timestamp,
    CONSTRAINT lessons_confidence_check CHECK (confidence BETWEEN 0 AND 1)
);

COMMENT ON TABLE public.lessons IS 'What was learned from corrections and experience. READ and WRITE for all agents; confidence decays by the maintenance job.';

CREATE INDEX idx_lessons_confidence ON public.lessons (confidence, last_referenced);

CREATE TABLE public.library_works (
    id serial PRIMARY KEY,
    title text NOT NULL,
    work_type text NOT NULL,
    publication_date date NOT NULL,
    language text NOT NULL DEFAULT 'en',
    summary text NOT NULL,
    url text,
    doi text,
    arxiv_id text,
    isbn text,
    external_ids jsonb DEFAULT '{}',
    abstract text,
    content_text text,
    insights text NOT NULL,
    subjects text[] NOT NULL DEFAULT '{}',
    notable_quotes text[],
    publisher text,
    source_path text,
    shared_by text NOT NULL,
    extra_metadata jsonb DEFAULT '{}',
    edition text,
    embed boolean NOT NULL DEFAULT true,
    search_vector tsvector,
    added_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT library_works_summary_length CHECK (length(summary) > 50),
    CONSTRAINT library_works_insights_length CHECK (length(insights) > 20),
    CONSTRAINT library_works_work_type_check CHECK (work_type IN (
        'paper', 'book', 'novel', 'novella', 'short_story', 'poem', 'play', 'essay', 'article', 'blog_post',
        'report', 'thesis', 'speech', 'letter', 'documentation', 'transcript', 'other'))
);

COMMENT ON TABLE public.library_works IS 'Written works of all kinds. READ for all agents. WRITE for the librarian (Library domain).';

CREATE UNIQUE INDEX idx_library_works_title_edition ON public.library_works (lower(title), coalesce(edition, ''));
CREATE INDEX idx_library_works_embed ON public.library_works (embed) WHERE embed = true;
CREATE INDEX idx_library_works_search ON public.library_works USING gin (search_vector);
CREATE INDEX idx_library_works_subjects ON public.library_works USING gin (subjects);
CREATE INDEX idx_library_works_work_type ON public.library_works (work_type);
CREATE INDEX idx_library_works_doi ON public.library_works (doi) WHERE doi IS NOT NULL;
CREATE INDEX idx_library_works_arxiv_id ON public.library_works (arxiv_id) WHERE arxiv_id IS NOT NULL;
CREATE INDEX idx_library_works_isbn ON public.library_works (isbn) WHERE isbn IS NOT NULL;

CREATE FUNCTION public.set_library_work_search_vector() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- A tsvector holds less than 1 MB (documentation, section 12.11): of a full text its beginning.
    NEW.search_vector :=
        setweight(to_tsvector('pg_catalog.english', NEW.title), 'A')
        || setweight(to_tsvector('pg_catalog.english', concat_ws(' ', NEW.summary, NEW.abstract)), 'B')
        || setweight(to_tsvector('pg_catalog.english', NEW.insights), 'C')
        || setweight(to_tsvector('pg_catalog.english', left(coalesce(NEW.content_text, ''), 150000)), 'D');
    RETURN NEW;
END;
$$;

COMMENT ON FUNCTION public.set_library_work_search_vector() IS 'Keeps search_vector: title A, summary and abstract B, insights C, content D.';

-- search_vector is in the list so that a value written by hand does not stay.
CREATE TRIGGER trg_library_works_search_vector
    BEFORE INSERT OR UPDATE OF title, summary, abstract, insights, content_text, search_vector ON public.library_works
    FOR EACH ROW EXECUTE FUNCTION public.set_library_work_search_vector();
CREATE TRIGGER trg_library_works_updated_at BEFORE UPDATE ON public.library_works
    FOR EACH ROW EXECUTE FUNCTION public.set_updated_at();

CREATE TABLE public.library_authors (
    id serial PRIMARY KEY,
    name text NOT NULL UNIQUE,
    biography text,
    created_at timestamptz DEFAULT CURRENT_TIMESTAMP
);

COMMENT ON TABLE public.library_authors IS 'Authors, each once. READ for all agents. WRITE for the librarian (Library domain).';

CREATE TABLE public.library_work_authors (
    work_id int NOT NULL REFERENCES public.library_works (id) ON DELETE CASCADE,
    author_id int NOT NULL REFERENCES public.library_authors (id) ON DELETE CASCADE,
    author_order int NOT NULL DEFAULT 1 CHECK (author_order > 0),
    PRIMARY KEY (work_id, author_id)
);

COMMENT ON TABLE public.library_work_authors IS 'Who wrote which work, in the order of the title page. READ for all agents. WRITE for the librarian (Library domain).';

CREATE INDEX idx_library_work_authors_author_id ON public.library_work_authors (author_id);

CREATE TABLE public.library_tags (
    id serial PRIMARY KEY,
    name text NOT NULL UNIQUE CHECK (name <> ''),
    created_at timestamptz DEFAULT CURRENT_TIMESTAMP
);

COMMENT ON TABLE public.library_tags IS 'Topics and subjects. READ for all agents. WRITE for the librarian (Library domain).';

CREATE TABLE public.library_work_tags (
    work_id int NOT NULL REFERENCES public.library_works (id) ON DELETE CASCADE,
    tag_id int NOT NULL REFERENCES public.library_tags (id) ON DELETE CASCADE,
    PRIMARY KEY (work_id, tag_id)
);

COMMENT ON TABLE public.library_work_tags IS 'Which work has which tag. READ for all agents. WRITE for the librarian (Library domain).';

CREATE INDEX idx_library_work_tags_tag_id ON public.library_work_tags (tag_id);

CREATE TABLE public.library_work_relationships (
    from_work_id int NOT NULL REFERENCES public.library_works (id) ON DELETE CASCADE,
    to_work_id int NOT NULL REFERENCES public.library_works (id) ON DELETE CASCADE,
    relation_type text NOT NULL CHECK (relation_type <> ''),
    PRIMARY KEY (from_work_id, to_work_id, relation_type),
    CONSTRAINT library_work_relationships_not_with_itself CHECK (from_work_id <> to_work_id)
);

COMMENT ON TABLE public.library_work_relationships IS 'Citations, sequels, responses. READ for all agents. WRITE for the librarian (Library domain).';

CREATE INDEX idx_library_work_relationships_to_work_id ON public.library_work_relationships (to_work_id);


-- ---------------------------------------------------------------------------------------------
-- Semantic memory
-- ---------------------------------------------------------------------------------------------

CREATE TABLE public.memory_embeddings (
    id serial PRIMARY KEY,
    source_type varchar(50) NOT NULL,
    source_id text NOT NULL,
    content text NOT NULL,
    -- NULL until the embedding service has computed it.
    embedding vector(1536),
    confidence real DEFAULT 1.0,
    created_at timestamptz DEFAULT now(),
    updated_at timestamptz DEFAULT now(),
    -- One embedding for each source: what embed_chat_message() relies on.
    UNIQUE (source_type, source_id),
    CONSTRAINT memory_embeddings_confidence_check CHECK (confidence BETWEEN 0 AND 1)
);

COMMENT ON TABLE public.memory_embeddings IS 'Texts and their vectors for semantic search. READ for all agents. WRITE for the embedding service and embed_chat_message() only.';

-- HNSW, not IVFFlat: IVFFlat computes its lists from the rows that are there when the index is
-- built, so that one built on an empty table finds next to nothing later. HNSW grows with the rows.
CREATE INDEX idx_memory_embeddings_vector ON public.memory_embeddings USING hnsw (embedding vector_cosine_ops);
CREATE INDEX idx_memory_embeddings_pending ON public.memory_embeddings (id) WHERE embedding IS NULL;

CREATE TRIGGER trg_memory_embeddings_updated_at BEFORE UPDATE ON public.memory_embeddings
    FOR EACH ROW EXECUTE FUNCTION public.set_updated_at();

CREATE FUNCTION public.embed_chat_message() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        DELETE FROM public.memory_embeddings WHERE source_type = 'agent_chat' AND source_id = OLD.id::text;
        RETURN NULL;
    END IF;
    -- An upsert, because the row may be there: a message that is replicated again after its
    -- embedding was copied would otherwise stop the replication worker at the unique key.
    -- updated_at is set here, because trg_memory_embeddings_updated_at does not fire in a worker.
    INSERT INTO public.memory_embeddings AS m (source_type, source_id, content)
    VALUES ('agent_chat', NEW.id::text, NEW.message)
    ON CONFLICT (source_type, source_id) DO UPDATE
        SET content = excluded.content, embedding = NULL, updated_at = now()
        WHERE m.content IS DISTINCT FROM excluded.content;
    RETURN NULL;
END;
$$;

COMMENT ON FUNCTION public.embed_chat_message() IS 'Hands a message to the embedding service: a row of memory_embeddings whose vector is still to be computed. It goes with the message.';

-- Who may execute it could put a trigger with it on a table of their own, and write memory_embeddings.
-- A trigger that exists asks for no such right.
REVOKE EXECUTE ON FUNCTION public.embed_chat_message() FROM PUBLIC;

CREATE TRIGGER trg_embed_chat_message AFTER INSERT OR DELETE OR UPDATE OF message ON public.agent_chat
    FOR EACH ROW EXECUTE FUNCTION public.embed_chat_message();
