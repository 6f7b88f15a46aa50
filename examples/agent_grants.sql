-- Rights for the agents of a database that has the schema of schema/schema.sql.
--
-- The group is called agents here; edit the name where yours is another. Make it, and put the agents'
-- logins into it, once per server:
--
--     CREATE ROLE agents NOLOGIN;
--     GRANT agents TO argus, quill;
--
-- Then run this file with `psql -1 -v ON_ERROR_STOP=1 -f examples/agent_grants.sql nova_memory`, as the owner
-- of the tables; again does no harm. In privilege mode auto novaops leaves these grants alone, as the
-- files of the schema give no others on the same objects. To have novaops manage them instead, copy this
-- file beside schema.sql and end schema.sql with `\ir agent_grants.sql`.

-- READ for all agents. What an agent may write beyond this is granted to its own login.
GRANT SELECT ON ALL TABLES IN SCHEMA public TO agents;

-- Messages are sent by send_agent_message(), which needs no right on agent_chat, on its sequence or on
-- memory_embeddings. It checks who the sender is: a login sends as the agent of its own name, and as those
-- that agent_senders gives it. So EXECUTE for everybody does no harm; this limits it to the group.
REVOKE EXECUTE ON FUNCTION public.send_agent_message(text, text, text[], int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.send_agent_message(text, text, text[], int) TO agents;

-- WRITE for all agents, or for the agent that a row names.
GRANT INSERT, UPDATE ON public.agent_chat_processed TO agents;
GRANT INSERT, UPDATE ON public.agent_jobs TO agents;
GRANT INSERT, UPDATE ON public.tasks TO agents;
GRANT INSERT, UPDATE ON public.lessons TO agents;
GRANT USAGE ON SEQUENCE public.agent_jobs_id_seq TO agents;
GRANT USAGE ON SEQUENCE public.tasks_id_seq TO agents;
GRANT USAGE ON SEQUENCE public.lessons_id_seq TO agents;
