-- When the person behind a session last showed what signs them in: some things take that anew.
alter table account_session add column confirmed_at_ms bigint;
update account_session set confirmed_at_ms = created_at_ms;
alter table account_session alter column confirmed_at_ms set not null;
