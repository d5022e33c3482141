-- Sealed scoring: columns lie packed (docs/formats/he.md), a quarter smaller than they came, and are found and checked by
-- the digest of what lies here. What the department signed stays in `digest`.

alter table score_column rename column ciphertext to packed; -- encrypted under the custodian's key; no one here can open it
alter table score_column add column packed_digest text;      -- SHA-256 of packed, hex

-- what was stored before: the low four bytes of every coefficient, then the next two
update score_column set packed = (
  select string_agg(substr(before.bytes, 114 + 8 * n, 4), ''::bytea order by n) || string_agg(substr(before.bytes, 118 + 8 * n, 2), ''::bytea order by n)
  from (select score_column.packed || ''::bytea as bytes offset 0) as before, generate_series(0, 16383) as n
) where octet_length(packed) = 131185;
update score_column set packed_digest = encode(sha256(packed), 'hex');

alter table score_column alter column packed_digest set not null;
drop index score_column_digest;
create index score_column_packed_digest on score_column (packed_digest);
