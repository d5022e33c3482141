-- What is done under a project over one cohort: the lottery over the partner's bundles, the pads of the drawn one, and
-- the questions that are asked of it. Times are milliseconds since 1970-01-01T00:00:00Z.

-- One lottery for a project and a cohort, for good: whoever could commit twice would draw until the draw fits.
-- drawn: waits for the other bundles' seeds. opened: they came and are judged. honest: pads may come. loaded: all
-- came and are checked against the committed digest. ready: questions may be asked. cheated, late: ended.
create table joint_run (
  id          text        primary key,               -- 22 base64url characters, 128 random bits
  project     text        not null references joint_project,
  cohort      text        not null references joint_cohort,
  institution text        not null references party, -- the partner
  spec        jsonb       not null,                  -- what every bundle is made for: project, cohort, rows, columns
  digests     text[]      not null check (cardinality(digests) between 8 and 64), -- commitments to bundles 0..K-1, SHA-256
  drawn       integer     not null check (drawn >= 0 and drawn < cardinality(digests)), -- by the platform's randomness, stored before it is told
  state       text        not null check (state in ('drawn', 'opened', 'honest', 'loaded', 'ready', 'cheated', 'late')), -- changed by the platform
  drawn_ms    bigint      not null,
  deadline_ms bigint      not null,                  -- until when the seeds must have come
  opening     bytea,                                 -- K seeds of 32 bytes, zeros at the drawn place; set once
  cheated     integer,                               -- first bundle that was not what was committed to
  judged_ms   bigint,                                -- honest, cheated or late since
  public_key  bytea,                                 -- of the drawn bundle, as uploaded
  pads        integer     not null check (pads > 0), -- pads a whole bundle has
  received    integer     not null default 0 check (received between 0 and pads), -- pads that came, in order
  rejected    integer     not null default 0,        -- uploads that did not fit the digest
  unique (project, cohort),
  check ((state = 'cheated') = (cheated is not null)),
  check ((state in ('drawn', 'opened')) = (judged_ms is null)),
  check (state in ('drawn', 'late') or opening is not null)
);
create index joint_run_institution on joint_run (institution, drawn_ms);
create index joint_run_waiting on joint_run (deadline_ms) where state = 'drawn';
alter table joint_run alter column public_key set storage external; -- random bytes do not compress

-- Pads of the drawn bundle: column by column, chunk by chunk. Never changed; deleted when they do not fit the digest.
create table joint_pad (
  run   text    not null references joint_run,
  pad   integer not null check (pad >= 0),
  bytes bytea   not null,                            -- a seeded ciphertext under the partner's short-lived key
  primary key (run, pad)
);
alter table joint_pad alter column bytes set storage external;

-- The partner's shifts of a column: bin - pad, one byte a row. Once for each column and for good: two sets over the
-- same pads would tell the platform the difference of two columns.
create table joint_shifts (
  run    text  not null references joint_run,
  name   text  not null,                             -- of the partner's column
  shifts bytea not null,
  digest text  not null,                             -- SHA-256, hex
  primary key (run, name)
);

-- Questions as they were asked; what they cost and what came of it is in joint_charge under the same digest.
-- asked: a worker computes it. released: its answer has left. failed: it will never be answered, nothing left.
create table joint_question (
  digest      text        primary key,               -- SHA-256, hex, of statement, cost, run, bundle and shifts
  run         text        not null references joint_run,
  project     text        not null,
  cohort      text        not null,
  institution text        not null,
  statement   jsonb       not null,                  -- as it was asked, canonical
  cost        bigint      not null check (cost > 0), -- billionths of rho
  parts       integer     not null check (parts > 0),-- results it has
  state       text        not null check (state in ('asked', 'released', 'failed')), -- changed by the worker
  reason      text,                                  -- code of why it failed
  attempts    integer     not null default 0,        -- how often a worker began
  asked_ms    bigint      not null,
  ended_ms    bigint,
  check ((state = 'failed') = (reason is not null)),
  check ((state = 'asked') = (ended_ms is null))
);
create index joint_question_project on joint_question (project, asked_ms desc);

-- Results that were computed and have not left. Each is computed once: whoever goes on after a crash releases these.
create table joint_staged (
  question text    not null references joint_question,
  part     integer not null check (part >= 0),
  result   bytea   not null,
  primary key (question, part)
);
alter table joint_staged alter column result set storage external;
