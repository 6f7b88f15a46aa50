-- A type and its functions depend on each other: PostgreSQL drops them only with CASCADE.

CREATE TYPE public.spice;
CREATE FUNCTION public.spice_in(cstring) RETURNS public.spice LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'int4in';
CREATE FUNCTION public.spice_out(public.spice) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'int4out';
CREATE FUNCTION public.spice_recv(internal) RETURNS public.spice LANGUAGE internal IMMUTABLE STRICT AS 'int4recv';
CREATE FUNCTION public.spice_send(public.spice) RETURNS bytea LANGUAGE internal IMMUTABLE STRICT AS 'int4send';
CREATE TYPE public.spice (
    input = public.spice_in, output = public.spice_out, receive = public.spice_recv, send = public.spice_send,
    internallength = 4, passedbyvalue, alignment = int4, storage = plain, category = 'N', default = '7', delimiter = ';'
);
