-- A release is code and configuration. One that differs from another in its configuration alone was made from
-- it (base) and shares the code of the first of them (origin; null: its own).
alter table services.releases
  add column base text references services.releases (id),
  add column origin text references services.releases (id),
  add column settings jsonb not null default '{"env": {}, "secrets": []}',
  add column secrets_version text;

-- Service files say more than they did; what was registered before says it by its defaults.
update services.releases set snapshot = snapshot || '{"resources": {}}';

-- How many instances of a process were asked for, whatever the service file says: { process: count }.
alter table services.services add column scale jsonb not null default '{}';

-- Commands that run once with a release's variables: its release command (one row an attempt), and what
-- somebody ran by hand.
create table services.tasks (
  id text primary key,
  service text not null,
  environment text not null,
  release text not null references services.releases (id),
  kind text not null,
  change text,
  attempt integer not null,
  command text not null,
  timeout_ms bigint not null,
  compatibility text,
  state text not null,
  exit_code integer,
  reason text,
  output text not null default '',
  requested_by jsonb not null,
  created_at timestamptz not null,
  finished_at timestamptz,
  unique (change, attempt)
);
create index tasks_running on services.tasks (id) where finished_at is null;
create index tasks_by_service on services.tasks (service, environment, id desc);
