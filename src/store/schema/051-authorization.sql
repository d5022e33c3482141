-- Passkeys (WebAuthn): a second way for representatives to sign in. Written by authorization/; times are milliseconds since the epoch.

create table enterprise_passkey (
  credential_id   text   primary key check (length(credential_id) between 16 and 1400), -- what the authenticator calls it, base64url; no secret
  account_id      text   not null references enterprise_account on delete cascade,
  public_key      bytea  not null check (length(public_key) between 32 and 2048), -- COSE key (RFC 9052); the private half never leaves the authenticator
  sign_count      bigint not null check (sign_count >= 0),                -- highest the authenticator has told; never moves back; 0: it does not count
  created_at_ms   bigint not null,
  last_used_at_ms bigint                                                  -- null: never signed in with
);
create index enterprise_passkey_account on enterprise_passkey (account_id);

-- Challenges that were answered, so that no answer is taken twice. Challenges that were not are nowhere: they are signed.
create table passkey_answered (
  challenge_hash bytea  primary key check (length(challenge_hash) = 32), -- SHA-256 of the challenge
  expires_at_ms  bigint not null                                         -- the challenge is refused by itself from here on; removed by the cleanup
);
create index passkey_answered_expiry on passkey_answered (expires_at_ms);
