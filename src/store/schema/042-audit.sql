-- What the log's entries are about, taken out of their records after they were appended, so that auditors find entries
-- and reports count them without reading the log. Nothing here names an enterprise but audit_served. All of it but
-- audit_report can be made again from the records, as far as these have not been erased.

-- How far facts have been taken: one row, locked by whoever takes them.
create table audit_facts_taken (
  id smallint primary key default 1 check (id = 1),               -- there is one row
  next_index bigint not null default 0 check (next_index >= 0)   -- first entry whose facts have not been taken
);
insert into audit_facts_taken default values;

create table audit_fact (
  index bigint primary key check (index >= 0),                   -- the entry
  at timestamptz not null,                                       -- the entry's own
  kind text not null,                                            -- the entry's own
  actor text not null,                                           -- the entry's own
  institution text,                                              -- the entry's own; null when none
  purpose text,                                                  -- purpose code its record names; null when none, or erased before
  outcome text check (outcome in ('released', 'refused')),       -- whether something went out; null when it is about neither
  code text,                                                     -- error code of a refusal; null otherwise
  policy text,                                                   -- version of the policy that decided; null when none
  datasets text[] not null                                       -- datasets of the fields it names, each once
);
create index audit_fact_kind on audit_fact (kind, index);
create index audit_fact_actor on audit_fact (actor, index);
create index audit_fact_institution on audit_fact (institution, index);
create index audit_fact_policy on audit_fact (policy, index);
create index audit_fact_code on audit_fact (code, index);

-- Where in the log the entries of an hour stand: what is looked for by time is looked for there. Entries are in the order
-- of their commits, and a clock may have been wrong: hours may overlap.
create table audit_hour (
  hour timestamptz primary key,                                  -- its beginning, of the entries' own times
  first bigint not null check (first >= 0),                      -- smallest index of an entry of this hour; only ever shrinks
  last bigint not null check (last >= first)                     -- largest; only ever grows
);

-- How often what happened on one day. Texts are empty where they say nothing, so that they can stand in the key.
create table audit_count (
  day date not null,                                             -- of the entry's time, in Asia/Shanghai
  institution text not null,                                     -- party id
  purpose text not null,                                         -- purpose code
  what text not null,                                            -- what is counted (src/audit/facts.ts): entries, datasets, fields, rows, enterprises, results
  item text not null,                                            -- kind of entry, dataset or field it is counted of
  detail text not null,                                          -- error code, kind of entry, or use and disposition
  n bigint not null check (n > 0),                               -- how often; only ever grows
  primary key (day, institution, purpose, what, item, detail)
);
create index audit_count_institution on audit_count (institution, day);

-- Which enterprises an answer or a score went out about in a month whose report is not closed: counted once, then gone.
create table audit_served (
  month date not null,                                           -- its first day, in Asia/Shanghai
  purpose text not null,                                         -- purpose code
  subject text not null,                                         -- USCC of the enterprise; goes when its records are erased, at the latest with the month's report
  primary key (month, purpose, subject)
);
create index audit_served_subject on audit_served (subject);

-- Monthly work reports of months that are over, as they were signed.
create table audit_report (
  month date primary key,                                        -- its first day
  report text not null,                                          -- canonical JSON (docs/formats/work-report.md); counts, no enterprise
  signature text not null,                                       -- compact JWS of the platform over the report's digest
  entry bigint not null unique                                   -- entry of the log that says so (report.published)
);
create trigger audit_report_never_changed before update or delete or truncate on audit_report for each statement execute function audit_refuse();
