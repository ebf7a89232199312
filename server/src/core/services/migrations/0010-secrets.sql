-- The values of a service's secrets, all of them in one sealed object for each version. Releases name the version that
-- they use in secrets_version: it comes and goes with them. Names are no secret.
create table services.secret_versions (
  id text primary key,
  service text not null,
  environment text not null,
  number integer not null,
  names text[] not null,
  -- Those that this version has set, altered or taken away.
  changed text[] not null,
  sealed_values bytea not null,
  created_at timestamptz(3) not null,
  created_by jsonb not null,
  unique (service, environment, number)
);
