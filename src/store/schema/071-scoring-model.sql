-- Scoring models as they were proposed, reviewed and decided. Written by scoring/model/registry.ts only. A document
-- never changes; what changes is the state, once in each direction: proposed → approved → retired, or proposed → refused.
-- Times are milliseconds since 1970-01-01T00:00:00Z.
create table scoring_model (
  -- name@version; given once, also a refused one is never given again
  ref text primary key check (ref ~ '^[a-z][a-z0-9_]{0,40}@[1-9][0-9]{0,5}$'),
  -- canonical JSON of the document, as policies/schema/model.schema.json describes it; not encrypted, holds no data of any enterprise
  document text not null check (length(document) <= 262144),
  -- SHA-256, lower-case hex, of `document`: what was approved
  digest text not null check (digest ~ '^[0-9a-f]{64}$'),
  state text not null check (state in ('proposed', 'approved', 'refused', 'retired')),
  -- officer, or institution that wants it for its own use
  proposed_by text not null references party,
  proposed_ms bigint not null,
  -- officer that approved or refused it, and when; null while proposed
  decided_by text references party,
  decided_ms bigint,
  -- code of why it was refused; null otherwise
  refusal text check (refusal ~ '^[a-z][a-z0-9_]{0,63}$'),
  -- officer that took it out of use, when and why (a code); null while in use
  retired_by text references party,
  retired_ms bigint,
  retirement text check (retirement ~ '^[a-z][a-z0-9_]{0,63}$'),
  check ((state = 'proposed') = (decided_by is null)),
  check ((state = 'refused') = (refusal is not null)),
  check ((state = 'retired') = (retired_by is not null)),
  -- nobody approves what they proposed
  constraint scoring_model_four_eyes check (state not in ('approved', 'retired') or decided_by <> proposed_by)
);
create index scoring_model_state on scoring_model (state, ref);
