-- Index of the last entry that changed the policy in force; -1 while there is none. It stands where indices are given, so
-- that an answer gets one only if it was decided with that entry in mind.
alter table audit_sequencer add column policy_index bigint not null default -1 check (policy_index >= -1 and policy_index < next_index);
