-- Scoring many enterprises: the lists banks hand in, the jobs that run over them, and what each part of a job gave.
-- Written by scoring/job only. No feature, score or mask in clear is ever here. Times are milliseconds since
-- 1970-01-01T00:00:00Z. Tasks are in the schema job_queue, whose tables are pg-boss's.

-- A list of enterprises as a bank handed it in, in chunks; jobs run over it, the same list as often as the bank asks.
create table scoring_list (
  -- 128 random bits, base64url; set once
  id          text    primary key check (length(id) = 22),
  -- party id of the bank whose list it is; set once
  institution text    not null check (length(institution) between 1 and 128),
  -- 32 random bytes of the bank's, first into the digest, so that nobody can guess a list by its digest; set once
  salt        bytea   not null check (octet_length(salt) = 32),
  -- SHA-256 in hex that the bank signed (docs/formats/score-job.md); set once
  digest      text    not null check (digest ~ '^[0-9a-f]{64}$'),
  -- enterprises the bank signed for; set once
  count       integer not null check (count between 1 and 1000000),
  -- digest over the chunks so far; changed by every chunk
  chain       text    not null check (chain ~ '^[0-9a-f]{64}$'),
  -- enterprises received so far; grows with every chunk
  received    integer not null default 0 check (received between 0 and count),
  -- chunks received so far; grows by one with every chunk
  chunks      integer not null default 0 check (chunks >= 0),
  -- when the list may be forgotten; moved on by every job over it
  keep_until_ms bigint not null
);
create index scoring_list_to_forget on scoring_list (keep_until_ms);

create table scoring_list_chunk (
  list   text    not null references scoring_list (id) on delete cascade,
  -- place in the list, from 0; set once
  n      integer not null check (n >= 0),
  -- the lines as they came, which is what the digest is over; set once
  lines  text    not null,
  -- SHA-256 in hex of the lines, to know a repetition; set once
  digest text    not null check (digest ~ '^[0-9a-f]{64}$'),
  primary key (list, n)
);

create table scoring_job (
  -- 128 random bits, base64url; set once
  id           text    primary key check (length(id) = 22),
  -- party id of the bank; set once
  institution  text    not null check (length(institution) between 1 and 128),
  list         text    not null references scoring_list (id),
  -- the job this one repeats; set once; null for the first over its list
  repeats      text    references scoring_job (id) on delete set null,
  -- name@version of the model; set once
  model        text    not null check (length(model) between 1 and 128),
  purpose      text    not null check (length(purpose) between 1 and 64),
  -- RFC 7638 thumbprint of the bank's key that halves are sealed to; set once
  recipient    text    not null check (length(recipient) = 43),
  -- the bank's signed request as it came, which every ticket carries; set once
  request      text    not null check (length(request) <= 16384),
  -- SHA-256 in hex of the request; set once: one request makes one job
  request_digest text  not null unique check (request_digest ~ '^[0-9a-f]{64}$'),
  -- open: takes chunks; planning: finds out who can be scored; then running; the others are final
  state        text    not null check (state in ('open', 'planning', 'running', 'done', 'cancelled', 'stopped')),
  -- code of why it was stopped; null otherwise
  reason       text    check (length(reason) between 1 and 64),
  created_ms   bigint  not null,
  -- when the list was complete and work could begin; null while open
  started_ms   bigint,
  -- when it became done, cancelled or stopped
  finished_ms  bigint,
  -- end of the signed request: nothing is scored afterwards; set once
  expires_ms   bigint  not null,
  -- when results are deleted, fetched or not; set when it finishes
  results_until_ms bigint,
  check ((reason is not null) = (state = 'stopped')),
  check ((finished_ms is not null) = (state in ('done', 'cancelled', 'stopped')))
);
create index scoring_job_of_institution on scoring_job (institution, created_ms desc, id desc);
create index scoring_job_of_list on scoring_job (list);
create index scoring_job_live on scoring_job (expires_ms) where state in ('open', 'planning', 'running');
create index scoring_job_results on scoring_job (results_until_ms) where results_until_ms is not null;

-- What planning made of one chunk of the list: who is not scored, and why.
create table scoring_job_chunk (
  job      text   not null references scoring_job (id) on delete cascade,
  -- place of the chunk in the list
  n        integer not null check (n >= 0),
  -- enterprises of the chunk, and those of them that went into a part
  asked    integer not null check (asked > 0),
  planned  integer not null check (planned between 0 and asked),
  -- the others, and for each the code of why; emptied when the job's results expire
  subjects text[] not null,
  reasons  text[] not null check (cardinality(reasons) = cardinality(subjects)),
  primary key (job, n)
);

-- Enterprises of one chunk that stand in one block: who is to be scored there, under which grant. Written once,
-- removed when the job has finished.
create table scoring_job_fragment (
  job      text      not null references scoring_job (id) on delete cascade,
  block    integer   not null check (block >= 0),
  chunk    integer   not null check (chunk >= 0),
  -- slot, enterprise and grant of each, ordered by slot
  slots    integer[] not null check (cardinality(slots) > 0),
  subjects text[]    not null check (cardinality(subjects) = cardinality(slots)),
  grants   text[]    not null check (cardinality(grants) = cardinality(slots)),
  -- policy and calendar day (Asia/Shanghai) under which they were found permitted: asked again at release when either changed
  policy   text      not null check (length(policy) = 64),
  day      date      not null,
  primary key (job, block, chunk)
);

-- One block of a job: scored, released and fetched as one.
create table scoring_job_part (
  job        text    not null references scoring_job (id) on delete cascade,
  -- number of the part, from 0, in the order of blocks
  n          integer not null check (n >= 0),
  block      integer not null check (block >= 0),
  -- pending: not decided yet; released; empty: nobody was left to score; failed: the custodian refused; stopped: with its job
  state      text    not null default 'pending' check (state in ('pending', 'released', 'empty', 'failed', 'stopped')),
  -- enterprises planned for it; set once
  asked      integer not null check (asked > 0),
  -- enterprises whose scores were released; set with the state
  released   integer not null default 0 check (released >= 0),
  -- those that were planned and not scored, and why; set with the state, emptied when the job's results expire
  unscored   text[]  not null default '{}',
  reasons    text[]  not null default '{}' check (cardinality(reasons) = cardinality(unscored)),
  -- times the custodian refused; counted up
  refusals   integer not null default 0,

  -- what a first run left for the release; the first run that gets here wins, all of it goes when the part is decided

  -- jti of the ticket, and the salt under which it names the grants
  ticket     text    check (length(ticket) between 16 and 64),
  ticket_salt text   check (length(ticket_salt) between 16 and 64),
  -- id of the custodian's key the columns are encrypted under, its parameter set, and the custodian's id
  key_id     text    check (length(key_id) between 1 and 128),
  parameters text    check (length(parameters) between 1 and 64),
  custodian  text    check (length(custodian) between 1 and 128),
  -- slots of the ticket, ascending
  slots      integer[],
  -- outputs × slots masks of 4 bytes (little-endian), sealed with the platform's mask secret (AES-256-GCM)
  masks      bytea,

  -- what the bank fetches; deleted when the job's results expire

  -- JWE of the custodian; waits here for the release
  custodian_half text,
  -- JWE of the gateway
  gateway_half   text,
  -- canonical JSON of the log record, its place in the log, and the salts of its commitment and of the enterprises in it
  record     text,
  entry      bigint  check (entry >= 0),
  entry_salt bytea   check (octet_length(entry_salt) = 32),
  subjects_salt text check (length(subjects_salt) = 43),
  primary key (job, n),
  unique (job, block),
  check (state = 'pending' or masks is null),
  check (gateway_half is null or state = 'released')
);
