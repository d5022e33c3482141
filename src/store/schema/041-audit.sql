-- The signed request beside its entry: what an institution put its name to, kept so that it cannot deny it.
-- It may name what the institution claims about an enterprise, so it is encrypted under a secret of the keys folder
-- and the salt of its entry: without either it is noise. Goes with the record, or when its time has ended.
create table audit_request (
  index bigint primary key check (index >= 0),                   -- entry whose record has the digest of this request
  key_version smallint not null check (key_version > 0),         -- version of the platform's request-secret it is encrypted under
  sealed bytea not null check (octet_length(sealed) between 17 and 131088) -- compact JWS under AES-256-GCM, and its tag of 16 bytes; never changed
);
alter table audit_request alter column sealed set storage external; -- ciphertext does not compress

create trigger audit_request_never_changed before update or truncate on audit_request for each statement execute function audit_refuse();
