-- Accounts of people of every kind of party, where 050 and 051 knew representatives of enterprises alone; their rows move here.
-- Written by authorization/; times are milliseconds since the epoch.

-- One person who may sign in, and for whom: an enterprise's representative, an officer, or one of an institution's people.
create table account (
  account_id      text   primary key check (length(account_id) = 22),     -- 128 random bits, base64url; `sub` of tokens, says nothing about anybody
  party           text   not null check (length(party) between 3 and 64), -- the one party the person acts for; whether it is let in is the registry's word
  kind            text   not null check (kind in ('enterprise', 'institution', 'officer')), -- of the party; all but enterprises need a second factor
  subject         text   check (length(subject) = 18),                    -- the enterprise's unified social credit code; null: no enterprise
  person_name     text   check (length(person_name) between 1 and 100),   -- as whoever invited the person wrote it; null: not told
  username        text   not null check (username ~ '^[a-z0-9][a-z0-9._@-]{2,63}$'), -- chosen by the person
  password_hash   text   not null check (length(password_hash) between 60 and 300), -- argon2id with its parameters and salt, PHC string
  created_at_ms   bigint not null,
  last_used_at_ms bigint,                                                 -- last sign-in; null: never
  constraint account_username unique (username),
  constraint account_subject unique (subject),
  check ((kind = 'enterprise') = (subject is not null))
);
create index account_party on account (party);
insert into account (account_id, party, kind, subject, person_name, username, password_hash, created_at_ms)
  select a.account_id, e.id, 'enterprise', a.subject, a.representative_name, a.username, a.password_hash, a.created_at_ms
  from enterprise_account a join enterprise e on e.subject = a.subject;

-- A one-time code; the account is made, or its password and second factor replaced, with it.
create table account_invitation (
  account_id    text    primary key check (length(account_id) = 22),      -- of the account that comes of it
  party         text    not null check (length(party) between 3 and 64),
  kind          text    not null check (kind in ('enterprise', 'institution', 'officer')),
  subject       text    check (length(subject) = 18),                     -- as in account
  person_name   text    check (length(person_name) between 1 and 100),
  code_hash     bytea   not null check (length(code_hash) = 32),          -- SHA-256 of subject, or else party, and code; the code has 80 random bits
  attempts_left integer not null check (attempts_left >= 0),              -- counts down with every wrong try
  expires_at_ms bigint  not null,
  check ((kind = 'enterprise') = (subject is not null))
);
create index account_invitation_party on account_invitation (party);
create index account_invitation_subject on account_invitation (subject);
insert into account_invitation (account_id, party, kind, subject, person_name, code_hash, attempts_left, expires_at_ms)
  select coalesce(a.account_id, translate(substr(encode(sha256(i.code_hash), 'base64'), 1, 22), '+/', '-_')), e.id, 'enterprise', i.subject, i.representative_name,
    i.code_hash, i.attempts_left, i.expires_at_ms
  from enterprise_activation i join enterprise e on e.subject = i.subject left join account a on a.subject = i.subject;

-- Who is signed in to the pages and the console.
create table account_session (
  id_hash         bytea   primary key check (length(id_hash) = 32),       -- SHA-256 of the cookie
  account_id      text    not null references account on delete cascade,
  enrolling       boolean not null,                                       -- true: may enrol a second factor with it and nothing else
  created_at_ms   bigint  not null,                                       -- ends 8 hours after this, 30 minutes when enrolling
  last_seen_at_ms bigint  not null                                        -- and 15 minutes after this
);
create index account_session_account on account_session (account_id);
insert into account_session (id_hash, account_id, enrolling, created_at_ms, last_seen_at_ms)
  select s.id_hash, s.account_id, false, s.created_at_ms, s.last_seen_at_ms from enterprise_session s join account using (account_id);

-- Passkeys (WebAuthn) to sign in with.
create table account_passkey (
  credential_id   text   primary key check (length(credential_id) between 16 and 1400), -- what the authenticator calls it, base64url; no secret
  account_id      text   not null references account on delete cascade,
  public_key      bytea  not null check (length(public_key) between 32 and 2048), -- COSE key (RFC 9052); the private half never leaves the authenticator
  sign_count      bigint not null check (sign_count >= 0),                -- highest the authenticator has told; never moves back; 0: it does not count
  created_at_ms   bigint not null,
  last_used_at_ms bigint                                                  -- null: never signed in with
);
create index account_passkey_account on account_passkey (account_id);
insert into account_passkey select p.* from enterprise_passkey p join account using (account_id);

-- The secret an authenticator app makes one-time passwords from (RFC 6238).
create table account_one_time_password (
  account_id     text   primary key references account on delete cascade,
  secret         bytea  not null check (length(secret) = 48),             -- 20 bytes under AES-256-GCM: iv, ciphertext, tag; opens with a cookie key and the account id
  enrolled_at_ms bigint,                                                  -- null: shown, not proven yet; opens nothing
  last_step      bigint not null                                          -- latest time step (30 s since the epoch) of a password that was taken; none up to it is taken again
);

drop table enterprise_passkey, enterprise_session, enterprise_activation, enterprise_account;
