-- Objections of enterprises to what is recorded of them and to accesses, and the notices to those who received a value
-- that was corrected. Written by objection/ only. Texts are people's own words: they are shown to those concerned and
-- never logged. Times are milliseconds since 1970-01-01T00:00:00Z.

create table objection (
  -- 128 random bits, base64url
  id text primary key check (id ~ '^[A-Za-z0-9_-]{22}$'),
  -- unified social credit code of the enterprise that objects; never changed, like all that was submitted
  subject text not null,
  -- the party that submitted it
  submitted_by text not null references party,
  submitted_ms bigint not null,
  -- record: a value that is recorded. access: an answer, a score or a refusal that the log says was about the enterprise
  about text not null check (about in ('record', 'access')),
  -- of a record: `dataset.field` of the catalogue as it was
  field text,
  -- of a record: period (YYYY-MM-DD) or record field's value that names the row; null where a subject has one row, or
  -- where the row itself is missing
  row_key text check (length(row_key) <= 200),
  -- of a record: what is said to be the matter with it
  fault text check (fault in ('wrong', 'outdated', 'incomplete')),
  -- of a record: party id of the department that supplied the dataset when it was submitted; the only one that may act on it
  department text,
  -- of an access: index of its log entry
  entry bigint check (entry >= 0),
  -- changed by steps only, as objection/steps.ts says. closed is final
  state text not null default 'submitted' check (state in ('submitted', 'accepted', 'returned', 'corrected', 'remedied', 'rejected', 'closed')),
  -- last day of the next step, Asia/Shanghai; null once closed
  due_on date,
  -- when it was accepted; null before, and for good when it never was. Departments see it from then on
  accepted_ms bigint,
  check ((about = 'record') = (field is not null)),
  check ((about = 'record') = (fault is not null)),
  check ((about = 'record') = (department is not null)),
  check ((about = 'access') = (entry is not null)),
  check (about = 'record' or row_key is null),
  check ((state = 'closed') = (due_on is null)),
  check (state not in ('accepted', 'corrected', 'remedied', 'rejected') or accepted_ms is not null),
  check (case about when 'record' then state <> 'remedied' else state <> 'corrected' end)
);
-- the same value or access is objected to once at a time
create unique index objection_one_open_record on objection (subject, field, coalesce(row_key, '')) where about = 'record' and state in ('submitted', 'accepted');
create unique index objection_one_open_access on objection (subject, entry) where about = 'access' and state in ('submitted', 'accepted');
create index objection_of_subject on objection (subject, submitted_ms desc, id);
create index objection_of_department on objection (department, submitted_ms desc, id) where accepted_ms is not null;
create index objection_listed on objection (submitted_ms desc, id);
create index objection_due on objection (due_on, id) where due_on is not null;
-- asked for every query that is answered: small, and nothing else is read
create index objection_disputed on objection (subject, field) where state = 'accepted' and about = 'record';

create trigger objection_document_fixed before update of id, subject, submitted_by, submitted_ms, about, field, row_key, fault, department, entry on objection
  for each row execute function refuse_change();
create trigger objection_final_state before update of state on objection
  for each row when (old.state = 'closed') execute function refuse_change();

-- What was done with an objection, from its submission on. Never changed.
create table objection_step (
  objection text not null references objection,
  number integer not null check (number >= 0),    -- from 0, without gaps
  action text not null check (action in ('submit', 'accept', 'return', 'correct', 'remedy', 'reject', 'close')),
  state text not null,                            -- the objection's state after it
  role text not null check (role in ('enterprise', 'officer', 'department', 'platform')), -- as what it was done
  by_party text references party,                 -- null for the platform, which closes what nobody closed
  at_ms bigint not null,
  words text check (length(words) <= 2000),       -- plain text of whoever did it; null where none was given
  entry bigint not null check (entry >= 0),       -- index of its log entry, which has the digest of the words
  primary key (objection, number),
  check ((role = 'platform') = (by_party is null))
);
create trigger objection_step_fixed before update on objection_step for each row execute function refuse_change();

-- To one institution, under one grant of its: a field it received of this enterprise was corrected. Never the value.
create table objection_notice (
  id text primary key check (id ~ '^[A-Za-z0-9_-]{22}$'), -- 128 random bits, base64url
  objection text not null references objection,
  institution text not null references party,
  grant_id text not null,                         -- the grant it received the field under
  subject text not null,                          -- the enterprise, as the institution named it in its requests
  field text not null,                            -- `dataset.field`
  dispositions text[] not null,                   -- how it received it: of the log's outcomes
  received integer not null check (received > 0), -- how often
  entries bigint[] not null,                      -- log entries of that, newest first; at most 100
  corrected_ms bigint not null,                   -- when the department said that it is corrected
  acknowledged_ms bigint,                         -- when the institution said that it has seen this; null before
  acknowledged_by text references party,
  check ((acknowledged_ms is null) = (acknowledged_by is null)),
  unique (objection, institution, grant_id)
);
create index objection_notice_of_institution on objection_notice (institution, corrected_ms desc, id);
create trigger objection_notice_fixed before update of id, objection, institution, grant_id, subject, field, dispositions, received, entries, corrected_ms on objection_notice
  for each row execute function refuse_change();
create trigger objection_notice_acknowledged_once before update on objection_notice
  for each row when (old.acknowledged_ms is not null) execute function refuse_change();
