-- What a custodian keeps in its own database, beside its own audit log. Never a feature, a mask, a masked value or a key.
-- Nothing here is ever deleted: a clock that jumps cannot make a ticket usable again.

-- Banks that results are opened for. Admitted by the custodian's own operator: the gateway's word does not count.
create table custodian_bank (
  id text primary key check (id ~ '^[A-Za-z0-9][A-Za-z0-9._~-]{0,127}$'), -- party id, the one it has at the gateway
  state text not null check (state in ('active', 'suspended')), -- changed by the operator alone
  changed_ms bigint not null                                     -- when it got this state, ms since 1970
);

create table custodian_bank_key (
  thumbprint text primary key check (length(thumbprint) = 43),   -- RFC 7638; no two banks share a key
  bank text not null references custodian_bank (id),
  kid text not null,                                             -- what the bank calls it
  use text not null check (use in ('sig', 'enc')),               -- signs requests, or results are sealed to it
  jwk jsonb not null,                                            -- public members only
  added_ms bigint not null,                                      -- ms since 1970
  retired_ms bigint                                              -- ms since 1970; null while in use; set by the operator
);
create unique index custodian_bank_key_kid on custodian_bank_key (bank, use, kid);

-- Tickets that were used. Written in the transaction that logs the use, before anything is decrypted.
create table custodian_ticket (
  id text primary key check (length(id) = 22)                    -- the ticket's jti: 128 random bits, base64url
);

-- How much was opened on the word of one signed request of a bank.
create table custodian_request (
  bank text not null references custodian_bank (id),
  id text not null check (length(id) between 16 and 128),        -- the request's jti
  digest text not null check (length(digest) = 64),              -- SHA-256 of the signed text, hex: an id stands for one request
  slots integer not null check (slots > 0),                      -- slots answered so far, over all tickets
  tickets integer not null check (tickets > 0),                  -- tickets used so far
  primary key (bank, id)
);

-- Slots opened for a bank on one day (UTC).
create table custodian_day (
  bank text not null references custodian_bank (id),
  day date not null,
  slots bigint not null check (slots > 0),
  primary key (bank, day)
);

-- Blocks that did not look masked after decryption. While one is not cleared, nothing is opened.
create table custodian_alarm (
  ticket text primary key references custodian_ticket (id),      -- the ticket that came with it
  raised_ms bigint not null,                                     -- ms since 1970
  cleared_ms bigint                                              -- ms since 1970, set by the operator; null: open
);
create index custodian_alarm_open on custodian_alarm (raised_ms) where cleared_ms is null;
