-- Identity: who may call, with which keys, and what has been presented before. Written by identity/ only.
-- Times are milliseconds since 1970-01-01T00:00:00Z; calendar days are those of Asia/Shanghai.

create table party (
  -- OAuth client id; chosen at application or registration, never changed or given again
  id text primary key check (id ~ '^[a-z0-9][a-z0-9._-]{1,62}[a-z0-9]$'),
  kind text not null check (kind in ('institution', 'department', 'officer', 'enterprise')),
  -- name to show; null for enterprises, which the registry dataset names
  name_en text check (length(name_en) between 1 and 200),
  name_zh text check (length(name_zh) between 1 and 200),
  -- institutions and officers start as `applied`; only `approved` parties are let in
  status text not null check (status in ('applied', 'assessed', 'approved', 'suspended', 'revoked')),
  -- code of why the party was last suspended or revoked; null: never
  status_reason text check (status_reason ~ '^[a-z][a-z0-9_]{0,63}$'),
  -- officer that registered the party or handed in its application; null: applied by itself, or first officer
  registered_by text references party,
  registered_ms bigint not null,
  -- when `status` last changed
  changed_ms bigint not null,
  check (status <> 'assessed' or kind = 'institution'),
  check (status <> 'applied' or kind in ('institution', 'officer'))
);
create index party_undecided on party (registered_ms) where status in ('applied', 'assessed');

create table institution (
  id text primary key references party,
  -- class of policies/purposes.yaml; set at application, never changed
  class text not null check (class ~ '^[a-z][a-z0-9_]{0,63}$'),
  -- ISO 3166-1 alpha-2 code of the country it is established in
  country text not null check (country ~ '^[A-Z]{2}$'),
  -- exact addresses a browser may be sent back to after consent
  redirect_uris text[] not null check (cardinality(redirect_uris) <= 10),
  -- scopes it may ask for; set at approval
  scopes text[] not null default '{}',
  -- its own limits; null: the platform's general one, no quota
  requests_per_second integer check (requests_per_second between 1 and 1000000),
  queries_per_day integer check (queries_per_day between 0 and 1000000000),
  -- the application as it was signed, compact JWS: proof of what was asked and by whom
  application text not null check (length(application) <= 16384),
  -- officer that approved it, and when; null: not approved yet
  approved_by text references party,
  approved_ms bigint
);

-- Every security assessment ever made; the latest one counts. Rows are never changed.
create table security_assessment (
  id bigint generated always as identity primary key,
  institution text not null references institution,
  -- security level reached, as the standard it was assessed after grades it
  level integer not null check (level between 1 and 5),
  passed boolean not null,
  -- officer that answers for it
  assessor text not null references party,
  assessed_ms bigint not null,
  -- last day on which it counts
  valid_until date not null,
  -- SHA-256, hex, of the report, which stays with the assessor
  findings_digest text not null check (findings_digest ~ '^[0-9a-f]{64}$')
);
create index security_assessment_latest on security_assessment (institution, id desc);

-- Public keys of all parties. A key belongs to one party for one use, for ever: also a retired one never comes back.
create table party_key (
  -- RFC 7638, SHA-256, base64url
  thumbprint text constraint party_key_unique primary key check (thumbprint ~ '^[A-Za-z0-9_-]{43}$'),
  party text not null references party,
  -- what the party calls it in the headers of what it signs
  kid text not null check (length(kid) between 1 and 128),
  use text not null check (use in ('sig', 'enc')),
  -- vetted public key, RFC 7517
  jwk jsonb not null,
  added_ms bigint not null,
  -- null while the key is in use; set once
  retired_ms bigint,
  constraint party_key_kid unique (party, kid)
);

create table officer (
  id text primary key references party,
  roles text[] not null check (roles <@ array['registrar', 'compliance', 'auditor'] and cardinality(roles) between 1 and 3)
);

create table enterprise (
  id text primary key references party,
  -- unified social credit code: the one subject this party speaks for
  subject text not null check (length(subject) = 18),
  constraint enterprise_subject unique (subject)
);

-- What has been presented, so that nothing is accepted twice. Read and written by admit.ts, emptied by replay.ts.
-- No index on expires_ms: reading the table through now and then costs less than keeping an index for each row.
create table replay_key (
  -- first 128 bits of SHA-256 over issuer and jti; uuid is 16 bytes with the shortest comparison
  digest uuid primary key,
  -- what was presented is refused for its age from here on
  expires_ms bigint not null
) with (autovacuum_vacuum_scale_factor = 0.1, autovacuum_vacuum_insert_scale_factor = 1);

-- Access tokens revoked before their expiry. Written when the authorization server revokes, emptied by replay.ts.
create table revoked_token (
  issuer text not null check (length(issuer) between 1 and 512),
  jti text not null check (length(jti) between 1 and 128),
  -- expiry of the token
  expires_ms bigint not null,
  primary key (issuer, jti)
);

-- Queries an institution made, for its daily quota. Rows of the past stay for reports.
create table institution_usage (
  institution text not null,
  day date not null,
  -- queries let in; those beyond the quota are counted and refused
  queries bigint not null,
  primary key (institution, day)
) with (fillfactor = 20);
