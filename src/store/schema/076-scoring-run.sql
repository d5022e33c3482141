-- The log's record of a part names nobody, so whom a score was marked for as disputed stands here, for that enterprise's
-- own access history; to the institution it is told in its sealed half.
alter table score_release
  -- fields behind the model that the enterprise disputed when its score left; set once, null when there were none
  add column disputed text[] check (cardinality(disputed) between 1 and 250);
