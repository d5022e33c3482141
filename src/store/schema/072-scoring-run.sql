-- What institutions have already been told about an enterprise by scores: which linear functions of its features.
-- No feature, score or mask is ever here. Written by scoring/run in the transaction that releases the scores.

-- A model's functions as they were released: the score and its reason groups. Kept although a model is retired,
-- because what was once told is not forgotten.
create table scoring_functional_set (
  -- SHA-256 in hex over the ids of the functions, in order; set once
  digest      text   primary key check (digest ~ '^[0-9a-f]{64}$'),
  -- canonical JSON: list of {id, terms: [{feature, weight}]}; public to officers like the model itself; set once
  functionals text   not null check (length(functionals) <= 1048576)
);

-- One row for each institution and enterprise between which a score was ever released, or refused at the last moment.
-- Its lock makes concurrent releases for one enterprise wait for each other, under whatever grants and models.
create table scoring_tally (
  -- party id of the institution; set once
  institution text   not null check (length(institution) between 1 and 128),
  -- credit code of the enterprise; set once
  subject     text   not null check (length(subject) = 18),
  -- digests of the sets released so far; grows with the first score under a new model, never shrinks
  sets        text[] not null default '{}' check (cardinality(sets) <= 64),
  primary key (institution, subject)
);

-- Enterprises of a job's part, whose log record names none of them: for the access history of each.
create table score_release (
  -- index of the log entry that says it was released; set once
  entry       bigint not null check (entry >= 0),
  -- credit code of the enterprise; set once, removed with the enterprise's history
  subject     text   not null check (length(subject) = 18),
  -- party id of the institution; set once
  institution text   not null check (length(institution) between 1 and 128),
  -- name@version of the model; set once
  model       text   not null check (length(model) between 1 and 128),
  primary key (subject, entry)
);
