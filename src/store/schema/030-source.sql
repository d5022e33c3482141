-- What the departments hold, and how good it is.
-- The records themselves are in the schema `domain`: one table for each dataset of the catalogue, made and
-- extended by src/source/domain.ts at start, because the catalogue is configuration. Each has
--   subject         text         unified social credit code; written by loads only
--   <field> …       typed        one column for each field, in clear: this is the department's own domain.
--                                Columns carry title, unit and classification as their comment
--   _supplied_at    timestamptz  when the department last supplied this row, changed or not
-- and the primary key (subject), (subject, period field) or (subject, record field).
create schema domain;

-- One row for each load of a file, also of a refused one. Never changed afterwards.
create table quality_report (
  id          uuid        primary key,              -- made when the load starts; not secret
  dataset     text        not null,                 -- dataset id of the catalogue
  department  text        not null,                 -- party id of the supplying department
  loaded_at   timestamptz not null,                 -- when the load ended, by the gateway's clock
  outcome     text        not null check (outcome in ('loaded', 'refused')),
  report      jsonb       not null                  -- QualityReport of src/source/quality.ts: counts, shares, row numbers and reasons; never a value
);
create index quality_report_by_dataset on quality_report (dataset, loaded_at desc);
