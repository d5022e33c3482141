-- A part of a score job spends the grants of thousands of neighbours at once. Only where a page has room for the new
-- version of every row does PostgreSQL leave the six indexes alone: a third of the time, for twice the space
-- (docs/decisions/0154-releasing-thousands-at-once.md). Pages written before keep their form until they are rewritten.
alter table consent_grant set (fillfactor = 45);
