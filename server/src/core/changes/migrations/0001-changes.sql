create schema changes;

-- One row per change; `position` is the engine's state, the columns beside it are what people ask for.
create table changes.changes (
  id text primary key,
  kind text not null,
  target text not null,
  service text not null,
  environment text not null,
  candidate text not null,
  immediate boolean not null,
  stable text,
  state text not null,
  stage integer not null,
  position jsonb not null,
  plan jsonb not null,
  judge jsonb,
  limits jsonb not null,
  steps jsonb not null,
  weight integer not null,
  proven integer not null,
  requested_by jsonb not null,
  reason text,
  outcome text,
  evidence jsonb,
  first_candidate_at timestamptz,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  finished_at timestamptz,
  version integer not null
);
create index changes_by_target on changes.changes (target, id desc);
create index changes_active on changes.changes (id) where finished_at is null;

create table changes.timeline (
  change text not null references changes.changes (id),
  seq integer not null,
  at timestamptz not null,
  from_state text not null,
  to_state text not null,
  stage integer not null,
  by text not null,
  reason text not null,
  evidence jsonb,
  primary key (change, seq)
);

-- What the judge was shown, second by second: a decision can be computed again from these rows.
create table changes.samples (
  change text not null references changes.changes (id),
  seq integer not null,
  at timestamptz not null,
  history jsonb not null,
  primary key (change, seq)
);

-- A lock is a lease: whoever stops beating loses it.
create table changes.locks (
  target text primary key,
  change text not null references changes.changes (id),
  owner text not null,
  heartbeat_at timestamptz not null,
  expires_at timestamptz not null
);
