-- Versions of the policy, who proposed and who decided, and emergency withholds. Written by policy/store/ only. What a
-- version says never changes; what changes is its state, once in each direction: proposed → approved → in_force →
-- superseded, or proposed → refused or withdrawn. Times are milliseconds since 1970-01-01T00:00:00Z.
create table policy_version (
  -- counts up from 1; gaps mean nothing
  number integer generated always as identity primary key,
  -- canonical JSON of the files: { "purposes.yaml": text, "rules/tax.yaml": text, "tests/…": text }; holds no data of any enterprise
  files text not null check (length(files) <= 8388608),
  -- SHA-256, lower-case hex, of `files`: what was approved
  digest text not null check (digest ~ '^[0-9a-f]{64}$'),
  -- SHA-256 of everything its decisions depend on, as the log names policies, worked out when it was proposed
  policy text not null check (policy ~ '^[0-9a-f]{64}$'),
  -- the version it changes, which must be in force when it is proposed and approved; null for the first
  basis integer references policy_version,
  -- pack: what the installation started from; proposal: by a person; rollback: the files of an earlier version;
  -- withhold: what an emergency withhold became when its time was over
  origin text not null check (origin in ('pack', 'proposal', 'rollback', 'withhold')),
  state text not null check (state in ('proposed', 'approved', 'in_force', 'superseded', 'refused', 'withdrawn')),
  -- officer; null for the pack alone
  proposed_by text references party,
  proposed_ms bigint not null,
  -- why, in its author's words
  comment text not null check (length(comment) <= 2000),
  -- from when on it is to be in force; null: as soon as it is approved
  effective_ms bigint,
  -- officer that approved, refused or withdrew it (null: the platform did), when, and why in their words
  decided_by text references party,
  decided_ms bigint,
  decision_comment text check (length(decision_comment) <= 2000),
  -- when it came into force, and when another one took its place
  in_force_ms bigint,
  superseded_ms bigint,
  check ((origin = 'pack') = (proposed_by is null)),
  check ((origin = 'pack') = (basis is null)),
  check ((state = 'proposed') = (decided_ms is null)),
  check ((state in ('in_force', 'superseded')) = (in_force_ms is not null)),
  check ((state = 'superseded') = (superseded_ms is not null)),
  -- nobody approves what they proposed
  constraint policy_version_four_eyes check (state not in ('approved', 'in_force', 'superseded') or origin = 'pack' or (decided_by is not null and decided_by <> proposed_by))
);
-- one is in force, and at most one waits for its time
create unique index policy_version_in_force on policy_version (state) where state = 'in_force';
create unique index policy_version_approved on policy_version (state) where state = 'approved';
alter table policy_version alter column files set storage external; -- read whole and seldom

-- A field that one officer closed for a purpose at once, until two people have decided what becomes of it.
create table policy_withhold (
  -- 16 random hex digits
  id text primary key check (id ~ '^[0-9a-f]{16}$'),
  -- dataset.field, and code of the purpose
  field text not null check (length(field) <= 83),
  purpose text not null check (length(purpose) <= 41),
  -- a code that goes to the log
  reason text not null check (reason ~ '^[a-z][a-z0-9_]{0,63}$'),
  set_by text not null references party,
  set_ms bigint not null,
  -- when it becomes a proposal; it holds on until that is decided
  expires_ms bigint not null check (expires_ms > set_ms),
  -- the proposal it became; the latest of them when the policy changed meanwhile
  proposal integer references policy_version,
  -- when and how it ended: lifted by another officer, lasting when its proposal came into force, refused with its proposal; null while it holds
  ended_ms bigint,
  ended_by text references party,
  ending text check (ending in ('lifted', 'lasting', 'refused')),
  check ((ended_ms is null) = (ending is null)),
  -- nobody opens what they closed
  constraint policy_withhold_four_eyes check (ending is distinct from 'lifted' or (ended_by is not null and ended_by <> set_by))
);
create index policy_withhold_holding on policy_withhold (id) where ended_ms is null;
