-- Joint-modelling projects as they were proposed and approved. Written by joint/project/registry.ts only. A document
-- never changes: a changed one is a project of its own. Times are milliseconds since 1970-01-01T00:00:00Z.
create table joint_project (
  -- 128 random bits, base64url
  id text primary key check (id ~ '^[A-Za-z0-9_-]{22}$'),
  -- canonical JSON, as policies/schema/joint-project.schema.json describes it; holds no data of any enterprise
  document text not null check (length(document) <= 262144),
  -- SHA-256, lower-case hex, of `document`: what was approved
  digest text not null check (digest ~ '^[0-9a-f]{64}$'),
  -- the document's partner: the institution that works under it
  partner text not null references party,
  -- proposed: waits for officers. approved: two have approved it. active: a cohort was formed under it.
  -- refused, stopped (by an officer, or by the platform when the partner cheated) and ended (its time is over, or the
  -- partner has finished) are final. The last day is checked at every use, whether or not `ended` is written yet
  state text not null default 'proposed' check (state in ('proposed', 'approved', 'active', 'refused', 'ended', 'stopped')),
  -- the document's last day, in Asia/Shanghai
  ends_on date not null,
  -- officer, or the partner itself
  proposed_by text not null references party,
  proposed_ms bigint not null,
  -- the two officers, each for this digest, in the order they came; null while they have not
  first_by text references party,
  first_ms bigint,
  second_by text references party,
  second_ms bigint,
  -- who refused, stopped or ended it, when and why (a code); `platform` when nobody asked for it
  closed_by text,
  closed_ms bigint,
  reason text check (reason ~ '^[a-z][a-z0-9_]{0,63}$'),
  check ((first_by is null) = (first_ms is null)),
  check ((second_by is null) = (second_ms is null)),
  check (second_by is null or first_by is not null),
  check ((state in ('refused', 'ended', 'stopped')) = (closed_by is not null)),
  check ((closed_by is null) = (closed_ms is null)),
  check ((closed_by is null) = (reason is null)),
  -- two people besides the author, and neither twice
  constraint joint_project_six_eyes check (first_by <> proposed_by and second_by <> proposed_by and first_by <> second_by),
  constraint joint_project_approved_by_two check (state not in ('approved', 'active') or second_by is not null)
);
create index joint_project_listed on joint_project (proposed_ms desc, id);
create index joint_project_of_partner on joint_project (partner, proposed_ms desc, id);

create trigger joint_project_document_fixed before update of id, document, digest, partner, ends_on, proposed_by, proposed_ms on joint_project
  for each row execute function refuse_change();
create trigger joint_project_final_states before update of state on joint_project
  for each row when (old.state in ('refused', 'ended', 'stopped')) execute function refuse_change();
