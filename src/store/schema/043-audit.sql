-- Entries by kind are added up over all days there were; fields, which are most of the counts, are not looked at for it.
create index audit_count_entries on audit_count (day) where what = 'entries';
