-- Sealed scoring: where enterprises stand in every encrypted column, the custodian's public keys, and the columns.
-- Nothing here is plaintext of a record; which enterprise stands in which slot is known to the platform.

-- One place for each enterprise in all columns of all departments. A place is never given twice: what was encrypted
-- for an enterprise that left can never be read as another one's.
create table score_position (
  place      bigint primary key check (place >= 0), -- block × 4096 + slot; the next free one at first sight
  subject    text unique,                           -- unified social credit code; null once the enterprise was removed
  assigned_at timestamptz not null,                 -- when it was first seen
  removed_at timestamptz,                           -- when a department took the enterprise out
  check ((subject is null) = (removed_at is not null))
);

create table score_key (
  key_id       text primary key,              -- the custodian's name for it
  custodian    text not null,                 -- the custodian's id
  parameters   text not null,                 -- parameter set, such as veilgate-score-1
  public_key   bytea not null,                -- serialised public key; public
  thumbprint   text not null unique,          -- SHA-256 of public_key, hex: what departments pin
  state        text not null check (state in ('pending', 'active', 'retired')), -- changed by the platform: pending until every column is complete under it
  received_at  timestamptz not null,          -- when the custodian's statement came
  activated_at timestamptz                    -- when scores began to be computed under it
);
alter table score_key alter column public_key set storage external; -- random bytes do not compress
create unique index score_key_active on score_key ((true)) where state = 'active';
create unique index score_key_pending on score_key ((true)) where state = 'pending';

create table score_column (
  key_id      text not null references score_key, -- key it is encrypted under
  feature     text not null,          -- dataset/name
  block       integer not null check (block >= 0),
  revision    bigint not null check (revision > 0), -- of the department's envelope; only ever grows
  declaration text not null,          -- SHA-256, hex: what its integers mean
  digest      text not null,          -- SHA-256 of the ciphertext, hex
  filled      bytea not null,         -- 512 bytes: bit i, least significant first: slot i may be scored; a removal clears its bit
  stale       boolean not null,       -- true: the ciphertext still holds a value of an enterprise that was removed
  envelope    text not null,          -- compact JWS of the department; after a re-encryption that of the column it came from
  department  text not null,          -- party id of who signed it
  rekeyed     boolean not null,       -- true: re-encrypted from another key by gateway and custodian, not by the department
  ciphertext  bytea not null,         -- encrypted under the custodian's key; no one here can open it
  loaded_at   timestamptz not null,
  primary key (key_id, feature, block)
);
alter table score_column alter column ciphertext set storage external; -- as above
create index score_column_digest on score_column (digest);
