-- Requests for grants: what an institution asks an enterprise for without a browser of the enterprise at hand.
-- Written by consent/grant-requests.ts only. Times are milliseconds since 1970-01-01T00:00:00Z.

create table grant_request (
  -- 128 random bits, base64url
  id text primary key check (id ~ '^[A-Za-z0-9_-]{22}$'),

  -- set when the institution asks, never changed

  -- client id of the institution that asks
  institution text not null check (length(institution) between 1 and 128),
  -- unified social credit code of the enterprise it asks; nobody of this code need be registered
  subject text not null check (length(subject) = 18),
  -- what it asks for, as JSON of src/consent/schema/consent-detail.json; what is left open is completed when it is read
  terms jsonb not null check (jsonb_typeof(terms) = 'object'),
  -- what it says to the enterprise, plain text; null: nothing
  message text check (length(message) between 1 and 500),
  created_ms bigint not null check (created_ms between 0 and 9007199254740991),
  -- from this moment on it can only be read
  expires_ms bigint not null check (expires_ms between 0 and 9007199254740991),

  -- how it ended

  -- `expired` is only a mark for lists and the one-open index: expiry is checked against expires_ms whenever it matters
  state text not null default 'pending' check (state in ('pending', 'accepted', 'refused', 'withdrawn', 'expired')),
  -- when it was decided; null while pending, and when it merely expired
  decided_ms bigint,
  -- why the enterprise refused, plain text for the institution; null: it did not say
  reason text check (length(reason) between 1 and 300),
  -- the grant it led to
  grant_id text unique references consent_grant (id),

  constraint grant_request_decided check ((decided_ms is null) = (state in ('pending', 'expired'))),
  constraint grant_request_granted check ((grant_id is not null) = (state = 'accepted')),
  constraint grant_request_reason check (reason is null or state = 'refused')
);

-- one open request between an institution and an enterprise
create unique index grant_request_open on grant_request (institution, subject) where state = 'pending';
-- lists, newest first; and how many were made lately
create index grant_request_of_subject on grant_request (subject, created_ms desc, id desc);
create index grant_request_of_institution on grant_request (institution, created_ms desc, id desc);
create index grant_request_between on grant_request (institution, subject, created_ms desc);

create trigger grant_request_asked_fixed before update of id, institution, subject, terms, message, created_ms, expires_ms
  on grant_request for each row execute function refuse_change();
create trigger grant_request_final_states before update of state on grant_request
  for each row when (old.state <> 'pending') execute function refuse_change();
