-- What needs the extension hstore.

CREATE EXTENSION hstore SCHEMA inventory;
COMMENT ON EXTENSION hstore IS 'Labels';
REVOKE EXECUTE ON FUNCTION inventory.hstore(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION inventory.hstore(text, text) TO kitchen_reader;
CREATE TABLE public.stickers (label inventory.hstore DEFAULT 'a => 1');
CREATE INDEX stickers_label ON public.stickers USING gist (label inventory.gist_hstore_ops (siglen = 32));
