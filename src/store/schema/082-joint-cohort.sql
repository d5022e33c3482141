-- Cohorts: the enterprises a project counts over, and the alignment of partners' lists with them. Written by
-- joint/cohort/*.ts only. Times are milliseconds since 1970-01-01T00:00:00Z.

-- One fixed list of enterprises. It is kept as long as the platform: later cohorts are compared with it.
create table joint_cohort (
  -- 128 random bits, base64url
  id text primary key check (id ~ '^[A-Za-z0-9_-]{22}$'),
  project text not null references joint_project,
  -- the project's partner, and its datasets: what earlier cohorts are found by
  institution text not null references party,
  datasets text[] not null,
  -- members
  size integer not null check (size > 0),
  -- k when it was formed: fewest members, and fewest by which a later cohort may differ
  cohort_min integer not null check (cohort_min > 0),
  -- SHA-256, lower-case hex, of the members' codes in ascending order, each followed by a line feed: equal for equal members
  members_digest text not null check (members_digest ~ '^[0-9a-f]{64}$'),
  -- SHA-256, lower-case hex, of project, size and codes in the order of positions
  digest text not null check (digest ~ '^[0-9a-f]{64}$'),
  formed_ms bigint not null
);
create index joint_cohort_of_institution on joint_cohort (institution, formed_ms desc, id);
create index joint_cohort_of_project on joint_cohort (project, formed_ms desc, id);
create trigger joint_cohort_fixed before update on joint_cohort for each row execute function refuse_change();

-- The members in the order of positions, 8,192 to a chunk.
create table joint_cohort_chunk (
  cohort text not null references joint_cohort,
  -- positions from 8192 n on
  n integer not null check (n >= 0),
  -- unified social credit codes, 18 characters each, one after another
  codes text not null check (length(codes) > 0 and length(codes) % 18 = 0 and length(codes) <= 147456),
  primary key (cohort, n)
);
create trigger joint_cohort_chunk_fixed before update on joint_cohort_chunk for each row execute function refuse_change();

-- One run of the alignment of a partner's list with a cohort (private set intersection).
create table joint_alignment (
  -- 128 random bits, base64url: goes into every hash of the run, so that points of one run mean nothing in another
  id text primary key check (id ~ '^[A-Za-z0-9_-]{22}$'),
  cohort text not null references joint_cohort,
  institution text not null references party,
  -- how many codes the partner's list has
  points integer not null check (points > 0),
  -- the platform's secret, encrypted under the platform's mask secret; null when the run is over
  secret bytea,
  -- open: chunks go to and fro. done: the partner has what it needs. expired: it did not finish in time
  state text not null default 'open' check (state in ('open', 'done', 'expired')),
  opened_ms bigint not null,
  -- after this the run is over, whether or not `expired` is written yet
  deadline_ms bigint not null,
  closed_ms bigint,
  check ((state = 'open') = (secret is not null)),
  check ((state = 'open') = (closed_ms is null))
);
create index joint_alignment_of_institution on joint_alignment (institution, opened_ms desc);
create index joint_alignment_open on joint_alignment (deadline_ms) where state = 'open';

-- What was worked out in a run: chunks of the partner's points blinded again, and of the cohort's points blinded. Each
-- is worked out once and repeated to whoever asks again; all are deleted when the run is over.
create table joint_alignment_chunk (
  run text not null references joint_alignment,
  side text not null check (side in ('partner', 'cohort')),
  n integer not null check (n >= 0),
  -- SHA-256 of what the partner sent; null for the cohort
  sent bytea check (length(sent) = 32),
  -- points, 32 bytes each
  points bytea not null check (length(points) > 0 and length(points) % 32 = 0),
  primary key (run, side, n),
  check ((side = 'partner') = (sent is not null))
);
alter table joint_alignment_chunk alter column points set storage external; -- random bytes do not compress
