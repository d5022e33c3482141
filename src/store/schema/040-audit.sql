-- The transparency log (docs/formats/log.md). What stands here is append-only; triggers refuse everything else,
-- not to stop a database administrator (the signed checkpoints do that) but to stop mistakes.

-- The sequencer: one row, locked by whoever appends until that transaction ends, so that indices are given
-- without gaps and become visible in their order.
create table audit_sequencer (
  id smallint primary key default 1 check (id = 1),               -- there is one row
  next_index bigint not null default 0 check (next_index >= 0)   -- index the next entry gets; changed by every append
) with (fillfactor = 10);
insert into audit_sequencer default values;

create table audit_entry (
  index bigint primary key check (index >= 0),                   -- place in the log, from 0, without gaps
  commitment bytea not null check (octet_length(commitment) = 32), -- SHA-256(salt || record); the leaf's data; public
  salt bytea check (octet_length(salt) = 32),                    -- 32 random bytes; null once erased; secret like the record
  record text,                                                   -- canonical JSON (RFC 8785) of the AuditRecord, not encrypted; null once erased
  kind text not null,                                            -- the record's kind; stays when the record is erased
  at timestamptz not null,                                       -- the record's time
  actor text not null,                                           -- party id of who did it
  subject text,                                                  -- USCC of the enterprise concerned; null when none, or once erased
  institution text,                                              -- party id of the institution concerned; null when none
  check ((record is null) = (salt is null)),
  check (record is not null or subject is null)
);
create index audit_entry_subject on audit_entry (subject, index) where subject is not null;
create index audit_entry_institution on audit_entry (institution, index) where institution is not null;
create index audit_entry_at on audit_entry using brin (at);

-- Tiles of tlog-tiles. One row per tile: a partial tile is a prefix of what its row will hold when full.
create table audit_tile (
  level smallint not null check (level between 0 and 6),         -- 0: leaf hashes; n: hashes of full tiles of level n-1
  index bigint not null check (index >= 0),                      -- place within the level
  hashes bytea not null check (octet_length(hashes) between 32 and 8192 and octet_length(hashes) % 32 = 0), -- up to 256 SHA-256 hashes; only ever extended, by the publisher
  primary key (level, index)
);
alter table audit_tile alter column hashes set storage external; -- hashes do not compress

-- Every tree head the log ever signed, one per size: evidence that narrows down where a forged log departs.
create table audit_checkpoint (
  size bigint primary key check (size >= 0),                     -- entries in the tree
  root bytea not null check (octet_length(root) = 32),           -- RFC 6962 Merkle tree hash
  signed_note text not null,                                     -- checkpoint with the log's own signature (C2SP signed-note)
  cosignatures text[] not null default '{}',                     -- signature lines of witnesses, as they arrived
  created_at timestamptz not null,                               -- when it was signed
  published_at timestamptz                                       -- when it had the cosignatures it needs; null: not served yet
);
create index audit_checkpoint_published on audit_checkpoint (size) where published_at is not null;

-- What each configured witness has seen of this log.
create table audit_witness (
  name text primary key,                                         -- key name of the witness
  size bigint not null default 0 check (size >= 0),              -- tree size it cosigned last, as far as we know
  claimed_until timestamptz not null default '-infinity'         -- no other node asks this witness before; set by the asking node
);

create function audit_refuse() returns trigger language plpgsql as $$
begin
  raise exception 'the audit log is append-only' using errcode = 'integrity_constraint_violation';
end $$;

create function audit_entry_guard() returns trigger language plpgsql as $$
begin
  if new.record is null and new.salt is null and new.subject is null
     and (new.index, new.commitment, new.kind, new.at, new.actor) = (old.index, old.commitment, old.kind, old.at, old.actor)
     and new.institution is not distinct from old.institution then
    return new;
  end if;
  raise exception 'the audit log is append-only' using errcode = 'integrity_constraint_violation';
end $$;
create trigger audit_entry_only_erased before update on audit_entry for each row execute function audit_entry_guard();
create trigger audit_entry_never_deleted before delete or truncate on audit_entry for each statement execute function audit_refuse();

create function audit_tile_guard() returns trigger language plpgsql as $$
begin
  if (new.level, new.index) = (old.level, old.index) and substring(new.hashes for octet_length(old.hashes)) = old.hashes then
    return new;
  end if;
  raise exception 'the audit log is append-only' using errcode = 'integrity_constraint_violation';
end $$;
create trigger audit_tile_only_extended before update on audit_tile for each row execute function audit_tile_guard();
create trigger audit_tile_never_deleted before delete or truncate on audit_tile for each statement execute function audit_refuse();

create function audit_checkpoint_guard() returns trigger language plpgsql as $$
begin
  if (new.size, new.root, new.signed_note, new.created_at) = (old.size, old.root, old.signed_note, old.created_at)
     and (old.published_at is null or new.published_at = old.published_at)
     and new.cosignatures[1:cardinality(old.cosignatures)] = old.cosignatures then
    return new;
  end if;
  raise exception 'the audit log is append-only' using errcode = 'integrity_constraint_violation';
end $$;
create trigger audit_checkpoint_only_cosigned before update on audit_checkpoint for each row execute function audit_checkpoint_guard();
create trigger audit_checkpoint_never_deleted before delete or truncate on audit_checkpoint for each statement execute function audit_refuse();

-- The sequencer may only move forward.
create function audit_sequencer_guard() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' then
    if new.next_index >= old.next_index then return new; end if;
  end if;
  raise exception 'the audit log is append-only' using errcode = 'integrity_constraint_violation';
end $$;
create trigger audit_sequencer_only_forward before update or delete on audit_sequencer for each row execute function audit_sequencer_guard();
