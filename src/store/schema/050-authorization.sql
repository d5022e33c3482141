-- State of the authorization server (src/authorization). Written by it alone; times are milliseconds since the epoch.

-- What oidc-provider keeps: pushed requests, interactions, grants, codes, refresh tokens, replay keys.
create table oidc_payload (
  model          text   not null check (length(model) between 1 and 64),  -- oidc-provider's name of the kind of record
  id_hash        bytea  not null check (length(id_hash) = 32),            -- SHA-256 of model and id; the id itself (a code, a token) is nowhere
  payload        bytea  not null check (length(payload) between 28 and 262144), -- JSON, AES-256-GCM under a key derived from the id: only who holds the id can read it
  grant_hash     bytea  check (length(grant_hash) = 32),                  -- id_hash of the OAuth grant this belongs to; null: to none
  consumed_at_ms bigint,                                                  -- when a code, refresh token or request was used; null: not yet; set once
  expires_at_ms  bigint not null,                                         -- not found any more from here on; removed by the cleanup
  primary key (model, id_hash)
);
create index oidc_payload_grant on oidc_payload (grant_hash) where grant_hash is not null;
create index oidc_payload_expiry on oidc_payload (expires_at_ms);

-- One row for each access token that is still valid, so that it can be revoked. The token itself is not kept.
create table issued_access_token (
  jti           text   primary key check (length(jti) between 1 and 64),  -- the token's id, no secret
  client_id     text   not null check (length(client_id) between 1 and 128), -- the only client that may revoke or inspect it
  grant_hash    bytea  check (length(grant_hash) = 32),                   -- as in oidc_payload; null for client credentials
  expires_at_ms bigint not null
);
create index issued_access_token_grant on issued_access_token (grant_hash) where grant_hash is not null;
create index issued_access_token_expiry on issued_access_token (expires_at_ms);

-- One representative's account for each enterprise that registered.
create table enterprise_account (
  account_id          text   primary key check (length(account_id) = 22), -- 128 random bits, base64url; `sub` of tokens, says nothing about the enterprise
  subject             text   not null unique check (length(subject) = 18), -- unified social credit code; the only subject this account may speak for
  representative_name text   check (length(representative_name) between 1 and 100), -- as the registrar wrote it; null: not told
  username            text   not null check (username ~ '^[a-z0-9][a-z0-9._@-]{2,63}$'), -- chosen by the representative
  password_hash       text   not null check (length(password_hash) between 60 and 300), -- argon2id with its parameters and salt, PHC string
  created_at_ms       bigint not null,
  constraint enterprise_account_username unique (username)
);

-- A one-time code a registrar handed to an enterprise; the account is made, or its password replaced, with it.
create table enterprise_activation (
  subject             text    primary key check (length(subject) = 18),
  representative_name text    check (length(representative_name) between 1 and 100),
  code_hash           bytea   not null check (length(code_hash) = 32),    -- SHA-256 of subject and code; the code has 80 random bits
  attempts_left       integer not null check (attempts_left >= 0),        -- counts down with every try, right or wrong
  expires_at_ms       bigint  not null
);

-- Who is signed in to the pages.
create table enterprise_session (
  id_hash         bytea  primary key check (length(id_hash) = 32),        -- SHA-256 of the cookie
  account_id      text   not null references enterprise_account on delete cascade,
  created_at_ms   bigint not null,                                        -- ends 8 hours after this
  last_seen_at_ms bigint not null                                         -- and 15 minutes after this
);
create index enterprise_session_account on enterprise_session (account_id);

-- Failed sign-ins, for user names and for addresses; a name that nobody has is counted all the same.
create table sign_in_throttle (
  key_hash         bytea   primary key check (length(key_hash) = 32),     -- SHA-256 of kind and name or address
  failures         integer not null check (failures >= 0),                -- forgotten a day after the last one
  blocked_until_ms bigint  not null,                                      -- no try is even looked at before this
  last_at_ms       bigint  not null
);
