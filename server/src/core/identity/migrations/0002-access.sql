-- Roles beside the built-in ones.
create table identity.roles (
  name text primary key,
  permissions text[] not null,
  created_at timestamptz not null,
  created_by jsonb not null
);

create table identity.teams (
  name text primary key,
  created_at timestamptz not null,
  created_by jsonb not null
);

-- Users are known by their ids alone.
create table identity.team_members (
  team text not null references identity.teams (name) on delete cascade,
  user_id text not null,
  added_at timestamptz not null,
  primary key (team, user_id)
);

-- Who has which role where; null stands for everywhere. A key may have single permissions instead of a role.
create table identity.grants (
  id text primary key,
  subject_type text not null check (subject_type in ('user', 'team', 'key')),
  subject_id text not null,
  role text,
  permissions text[],
  environment text,
  service text,
  created_at timestamptz not null,
  created_by jsonb not null,
  check ((role is null) <> (permissions is null)),
  unique nulls not distinct (subject_type, subject_id, role, permissions, environment, service)
);

-- Users who may do nothing, whatever is granted to them: invited or disabled.
create table identity.suspended_users (
  user_id text primary key,
  since timestamptz not null
);

insert into identity.grants (id, subject_type, subject_id, role, created_at, created_by)
select 'grt_' || id, 'key', id, role, created_at, '{"type": "system", "id": "mainstay", "name": "Mainstay"}'
from identity.api_keys;

alter table identity.api_keys
  drop constraint api_keys_name_key,
  drop column role,
  -- { type: user | team, id }: the key may never do more than its owner. Null: the platform's own.
  add column owner jsonb,
  add column created_by jsonb not null default '{"type": "system", "id": "mainstay", "name": "Mainstay"}',
  add column expires_at timestamptz,
  add column allowed_addresses text[] not null default '{}',
  add column step_up_exempt boolean not null default false,
  add column revoked_at timestamptz,
  -- After a rotation with an overlap the secret before is accepted until then.
  add column previous_hash bytea,
  add column previous_until timestamptz,
  add column last_used_at timestamptz,
  add column last_used_from text;

update identity.api_keys set step_up_exempt = true;

create unique index api_keys_name on identity.api_keys (name) where revoked_at is null;
