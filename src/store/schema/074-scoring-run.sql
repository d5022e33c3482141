-- Whoever received a value that is corrected is told by institution and grant: also of scores of lists.
alter table score_release
  -- id of the grant the score was released under; set once. Of what was released before this column: the newest grant
  -- between the two; null where none is left, and then nobody is told
  add column grant_id text check (length(grant_id) between 1 and 128);

update score_release set grant_id = (
  select id from consent_grant where consent_grant.subject = score_release.subject and consent_grant.institution = score_release.institution order by valid_from_ms desc limit 1
);
