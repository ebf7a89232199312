create schema services;

create table services.releases (
  id text primary key,
  service text not null,
  environment text not null,
  digest text not null,
  version text,
  directory text not null,
  snapshot jsonb not null,
  created_at timestamptz not null,
  created_by jsonb not null
);
create index releases_by_service on services.releases (service, environment, id desc);

-- One row per service and environment: which release serves, which one is on trial, and with what share.
create table services.services (
  name text not null,
  environment text not null,
  stable_release text references services.releases (id),
  candidate_release text references services.releases (id),
  change text,
  weight integer not null default 0 check (weight between 0 and 10000),
  proven integer not null default 0 check (proven between 0 and 10000),
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (name, environment)
);

-- The instances that ought to run; the agent starts and stops processes until that is so.
create table services.instances (
  id text primary key,
  service text not null,
  environment text not null,
  release text not null references services.releases (id),
  process text not null,
  ordinal integer not null,
  created_at timestamptz not null,
  unique (release, process, ordinal)
);

-- Numbers the desired states sent to the agent; rises for ever.
create sequence services.generations;
