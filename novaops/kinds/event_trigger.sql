SELECT
    'pg_event_trigger'::regclass::oid AS classid,
    e.oid AS objid,
    0 AS objsubid,
    e.evtowner AS owner,
    e.evtevent::text AS event,
    ARRAY(SELECT quote_literal(tag) FROM unnest(e.evttags) WITH ORDINALITY AS t (tag, place) ORDER BY place) AS tags,
    e.evtfoid::regproc::text AS function,
    e.evtenabled::text AS enabled
FROM pg_catalog.pg_event_trigger e
WHERE e.oid >= 16384
