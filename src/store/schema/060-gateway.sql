-- Answers to requests that create something, by the caller's idempotency key. Written in the same transaction as
-- what was created, never changed, deleted when expired. Queries are not here: they are protected by the single
-- use of their jti, and their answers are never stored.
create table idempotency_key (
  -- who sent the key: a party id, or 'anonymous' where a request needs no token; set once by the gateway
  party        text        not null check (length(party) between 1 and 128),
  -- SHA-256 of the key: 32 bytes whatever the caller sent; set once
  key_sha256   bytea       not null check (length(key_sha256) = 32),
  -- SHA-256 over method, route, path parameters, query and body: the key stands for this request alone; set once
  request_sha256 bytea     not null check (length(request_sha256) = 32),
  -- HTTP status of the answer; set once
  status       smallint    not null check (status between 200 and 299),
  -- JSON text of the answer without what is shown only once, null for an answer without content; not encrypted,
  -- holds ids and states, never a value of a record; set once
  body         text        check (length(body) <= 65536),
  -- Location header of the answer, null when it has none; set once
  location     text        check (length(location) <= 2048),
  -- when the answer is forgotten and the key may be used anew; set once
  expires_at   timestamptz not null,
  primary key (party, key_sha256)
);
create index idempotency_key_expiry on idempotency_key (expires_at);
