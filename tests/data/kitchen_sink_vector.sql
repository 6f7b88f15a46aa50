-- What needs the extension vector.

CREATE EXTENSION vector SCHEMA inventory;
COMMENT ON EXTENSION vector IS 'Similar tastes';
REVOKE EXECUTE ON FUNCTION inventory.l2_distance(inventory.vector, inventory.vector) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION inventory.l2_distance(inventory.vector, inventory.vector) TO kitchen_reader;
CREATE TABLE public.flavours (flavour inventory.vector(3));
CREATE INDEX flavours_flavour ON public.flavours USING hnsw (flavour inventory.vector_cosine_ops) WITH (m = 8, ef_construction = 32);
