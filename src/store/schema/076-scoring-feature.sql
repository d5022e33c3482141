-- Sealed scoring: a checksum of what lies in a column, looked at each time it is read; SHA-256 takes three times as long.

alter table score_column add column mark text; -- GHASH of packed, hex (src/he/pool-mark.ts); null: stored before, then packed_digest is looked at
