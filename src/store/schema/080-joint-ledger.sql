-- The privacy ledger of joint modelling: what has been spent of what may be learnt, in billionths of rho (zCDP).
-- An account only ever grows in `spent`, but for charges of which nothing left.

-- institution/<id>/<dataset>: what one institution may learn of one dataset;
-- dataset/<dataset>: what all institutions together may (those that collude add up);
-- project/<id>: what one approved project was given.
create table joint_account (
  account text primary key,
  total   bigint not null check (total >= 0),                    -- set and raised by approvals, never lowered below what is spent
  spent   bigint not null default 0 check (spent between 0 and total) -- reserved charges count: changed by charges only
);

-- One question's cost. reserved: counted, nothing has left. released: its answer has left. returned: its computation
-- failed for good and nothing left.
create table joint_charge (
  question    text primary key,     -- SHA-256, hex, of the canonical question over one cohort and one bundle
  project     text not null,
  institution text not null,        -- who asked
  cost        bigint not null check (cost > 0),
  accounts    text[] not null,      -- the accounts it was taken from
  state       text not null check (state in ('reserved', 'released', 'returned')), -- changed by the platform
  reserved_at timestamptz not null,
  settled_at  timestamptz,          -- when it was released or returned
  entry       bigint,               -- log entry of the release
  check ((state = 'reserved') = (settled_at is null)),
  check ((state = 'released') = (entry is not null))
);
create index joint_charge_project on joint_charge (project, reserved_at);

-- What left, once: asked again, the same question has the same answer and costs nothing.
create table joint_answer (
  question text not null references joint_charge,
  part     integer not null check (part >= 0), -- platform column, in the question's order
  result   bytea not null,                     -- encrypted under the partner's short-lived key; no one here can open it
  primary key (question, part)
);
alter table joint_answer alter column result set storage external; -- random bytes do not compress
