-- Where a sequence stands: the value that it gave last, whether it gave it, and how it counts.
SELECT pg_sequence_last_value(s.seqrelid), s.seqincrement, s.seqstart, s.seqmin, s.seqmax
FROM pg_catalog.pg_sequence s WHERE s.seqrelid = to_regclass(%(sequence)s)
