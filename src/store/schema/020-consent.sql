-- Consent: what enterprises granted, how much of it is used up, and what happened to it.
-- Written by consent/ only. Times are milliseconds since 1970-01-01T00:00:00Z; calendar days are those of Asia/Shanghai.

-- The fields a grant names, kept once however many grants name the same ones. Written once, never changed.
create table consent_field_set (
  -- SHA-256, lower-case hex, of the canonical JSON (RFC 8785) of `fields`
  digest text primary key check (digest ~ '^[0-9a-f]{64}$'),
  -- {"dataset.field": "original" | "desensitised"}
  fields jsonb not null check (jsonb_typeof(fields) = 'object' and fields <> '{}')
);

create table consent_grant (
  -- 128 random bits, base64url; its form and that of digests is checked once, on insertion (consent_grant_well_formed)
  id text primary key,

  -- terms: set when the enterprise consents, never changed

  -- unified social credit code of the enterprise that consented
  subject text not null check (length(subject) = 18),
  -- client id of the bank or partner that may use the grant
  institution text not null check (length(institution) between 1 and 128),
  -- purpose code
  purpose text not null check (length(purpose) between 1 and 64),
  -- fields and how far each goes
  field_set text not null references consent_field_set (digest),
  -- fields, those with ceiling `original` counted twice: orders grants when a query names none
  width integer not null check (width > 0),
  -- period the data may be about, both ends included; null: no bound on that side
  data_from date,
  data_to date,
  -- the grant is valid from the first to just before the second
  valid_from_ms bigint not null check (valid_from_ms between 0 and 9007199254740991),
  valid_until_ms bigint not null check (valid_until_ms between 0 and 9007199254740991),
  kind text not null check (kind in ('one_time', 'periodic')),
  -- answers allowed altogether; null: frequency alone limits
  uses_max integer check (uses_max > 0),
  -- answers allowed per calendar day, ISO week or calendar month; both null: uses_max alone limits
  frequency_max integer check (frequency_max > 0),
  frequency_per text check (frequency_per in ('day', 'week', 'month')),
  -- days after disclosure until the institution must delete what it got
  data_life_days integer not null check (data_life_days > 0),
  -- SHA-256, hex, of the notice the representative saw or signed
  notice_digest text not null,
  -- how consent was given: on the authorization server's page, or signed with the enterprise's own key
  origin text not null check (origin in ('browser', 'signed')),
  -- SHA-256, hex, of what proves it: the session's record, or the signed document in signed_grant
  evidence_digest text not null,
  created_ms bigint not null check (created_ms between 0 and 9007199254740991),

  -- what changes; nothing below is indexed by value, so that a use rewrites no index

  -- `expired` is only a mark for lists: validity is checked against valid_until_ms at every use
  state text not null default 'active' check (state in ('active', 'paused', 'revoked', 'exhausted', 'expired')),
  -- when `state` last changed
  changed_ms bigint not null,
  -- answers left; null when uses_max is
  uses_left integer check (uses_left >= 0),
  -- answers given so far
  uses_total integer not null default 0 check (uses_total >= 0),
  last_used_ms bigint,
  -- end of the frequency window that window_uses counts, 0 before the first use; never moves back
  window_ends_ms bigint not null default 0,
  window_uses integer not null default 0 check (window_uses >= 0),

  constraint grant_valid_some_time check (valid_until_ms > valid_from_ms),
  constraint grant_data_period check (data_to >= data_from),
  constraint grant_frequency_whole check ((frequency_max is null) = (frequency_per is null)),
  constraint grant_limited check (uses_max is not null or frequency_max is not null),
  constraint grant_one_time_once check (kind <> 'one_time' or (uses_max is not null and uses_max = 1)),
  constraint grant_uses_add_up check ((uses_max is null) = (uses_left is null) and (uses_max is null or uses_left = uses_max - uses_total)),
  constraint grant_exhausted_when_spent check ((state = 'exhausted') = (coalesce(uses_left, 1) = 0)),
  constraint grant_window_within_frequency check (window_uses <= coalesce(frequency_max, 0) and window_uses <= uses_total)
) with (fillfactor = 80);

-- a query without a grant id: the institution's widest, then latest, active grant
create index consent_grant_active on consent_grant (institution, subject, purpose, width desc, created_ms desc) where state = 'active';
-- the same when none is active: the latest of any state, to say why it cannot be used
create index consent_grant_latest on consent_grant (institution, subject, purpose, created_ms desc);
-- lists, newest first
create index consent_grant_of_subject on consent_grant (subject, created_ms desc, id desc);
create index consent_grant_of_institution on consent_grant (institution, created_ms desc, id desc);
-- housekeeping
create index consent_grant_to_expire on consent_grant (valid_until_ms) where state in ('active', 'paused');

create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'this row is never changed' using errcode = 'integrity_constraint_violation';
end $$;

create function refuse_malformed() returns trigger language plpgsql as $$
begin
  raise exception 'an id or digest of this row is malformed' using errcode = 'check_violation';
end $$;

-- not a check constraint: PostgreSQL evaluates those at every update, and a regular expression costs more than a whole use
create trigger consent_grant_well_formed before insert on consent_grant
  for each row when (new.id !~ '^[A-Za-z0-9_-]{22}$' or new.notice_digest !~ '^[0-9a-f]{64}$' or new.evidence_digest !~ '^[0-9a-f]{64}$')
  execute function refuse_malformed();

create trigger consent_field_set_fixed before update on consent_field_set
  for each row execute function refuse_change();

-- fires only for statements that name one of these columns, which none of ours does
create trigger consent_grant_terms_fixed before update of id, subject, institution, purpose, field_set, width, data_from, data_to,
    valid_from_ms, valid_until_ms, kind, uses_max, frequency_max, frequency_per, data_life_days, notice_digest, origin, evidence_digest, created_ms
  on consent_grant for each row execute function refuse_change();

create trigger consent_grant_final_states before update of state on consent_grant
  for each row when (old.state in ('revoked', 'exhausted', 'expired') and new.state <> old.state) execute function refuse_change();

-- uses only add up
create trigger consent_grant_uses_only_grow before update of uses_total on consent_grant
  for each row when (new.uses_total < old.uses_total) execute function refuse_change();

-- What an enterprise signed with its own key to grant consent; kept as proof, and so that it grants once.
create table signed_grant (
  -- party id of the enterprise
  issuer text not null check (length(issuer) between 1 and 128),
  -- `jti` of the document
  jti text not null check (length(jti) between 1 and 128),
  grant_id text not null unique references consent_grant (id) deferrable initially deferred,
  -- the compact JWS as it arrived
  document text not null check (length(document) between 1 and 65536),
  primary key (issuer, jti)
);
create trigger signed_grant_fixed before update on signed_grant
  for each row execute function refuse_change();

-- Everything that happened to a grant but its single uses, which the audit log holds. Appended only.
create table grant_event (
  id bigint generated always as identity primary key,
  grant_id text not null references consent_grant (id),
  at_ms bigint not null,
  kind text not null check (kind in ('granted', 'paused', 'resumed', 'revoked', 'exhausted', 'expired')),
  -- who did it; `platform` for what happens by itself
  actor_kind text not null check (actor_kind in ('subject', 'institution', 'officer', 'platform')),
  -- credit code, client id or party id; null for `platform`
  actor text check (length(actor) between 1 and 128),
  constraint grant_event_actor check ((actor is null) = (actor_kind = 'platform'))
);
create index grant_event_of_grant on grant_event (grant_id, id);
create trigger grant_event_fixed before update on grant_event
  for each row execute function refuse_change();

-- How often a field was verified under a grant, over the grant's whole life.
create table verification_attempt (
  grant_id text not null references consent_grant (id) on delete cascade,
  -- dataset.field
  field text not null check (length(field) between 1 and 160),
  attempts integer not null check (attempts >= 0),
  primary key (grant_id, field)
) with (fillfactor = 80);

-- The same per institution and day over all of its grants, so that a new grant does not start a search afresh.
create table verification_day (
  institution text not null,
  subject text not null,
  field text not null check (length(field) between 1 and 160),
  -- calendar day in Asia/Shanghai
  day date not null,
  attempts integer not null check (attempts >= 0),
  primary key (institution, subject, field, day)
) with (fillfactor = 80);
create index verification_day_past on verification_day (day);
