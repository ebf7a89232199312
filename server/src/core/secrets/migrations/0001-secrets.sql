create schema secrets;

-- The keys that wrap data keys, without the keys. incoming: handed to every server; active: seals; outgoing: opens, and
-- seals where a server has not heard yet; closed: opens, nothing new may be sealed with it; retired: nothing is left on it.
create table secrets.keys (
  id text primary key check (id ~ '^[0-9a-f]{16}$'),
  state text not null check (state in ('incoming', 'active', 'outgoing', 'closed', 'retired')),
  -- Of a key made of a passphrase: the public half, with which the passphrase gives it again.
  lock text,
  -- During a rotation: the new key under the active one, for servers that have not got it from anybody.
  sealed_key bytea,
  created_at timestamptz(3) not null
);
create unique index keys_one_active on secrets.keys ((state)) where state = 'active';
create unique index keys_one_incoming on secrets.keys ((state)) where state = 'incoming';

-- The round of re-encryption that new data keys belong to, and the earliest in which anything may still be sealed.
create table secrets.vault (
  is_one boolean primary key default true check (is_one),
  generation bigint not null default 0,
  least_generation bigint not null default 0
);
insert into secrets.vault default values;

-- Servers that use this database, with the keys they have: a key is used once all of them have it.
create table secrets.servers (
  id text primary key,
  key_ids text[] not null,
  active_key text not null,
  generation bigint not null,
  seen_at timestamptz(3) not null
);

create table secrets.rotations (
  id text primary key,
  kind text not null check (kind in ('wrapping-key', 'data-keys')),
  phase text not null check (phase in ('sharing', 'working', 'closing', 'finished')),
  -- Where it goes on: every object up to this one is done.
  position jsonb,
  objects integer not null,
  counts jsonb not null,
  new_key text references secrets.keys,
  generation bigint,
  requested_by jsonb not null,
  started_at timestamptz(3) not null,
  updated_at timestamptz(3) not null,
  finished_at timestamptz(3),
  outcome text
);
create unique index rotations_one_at_a_time on secrets.rotations ((finished_at is null)) where finished_at is null;

-- On every sealed column: whoever still has an old keyring learns it here instead of leaving a row on an old key behind.
-- The key's row is locked against being closed until the writer has committed. Bytes: docs/formats/vault.md.
create function secrets.guard() returns trigger language plpgsql as $$
declare
  sealed bytea;
  allowed boolean;
begin
  execute format('select ($1).%I', tg_argv[0]) into sealed using new;
  if sealed is null then
    return new;
  end if;
  select k.state in ('incoming', 'active', 'outgoing') into allowed
    from secrets.keys k where k.id = encode(substring(sealed from 6 for 8), 'hex') for share;
  if allowed is not true then
    raise exception 'sealed with a key that is not in use any more' using errcode = 'MS001';
  end if;
  select v.least_generation <= ('x' || encode(substring(sealed from 14 for 4), 'hex'))::bit(32)::bigint into allowed
    from secrets.vault v for share;
  if allowed is not true then
    raise exception 'sealed with a data key of an earlier generation' using errcode = 'MS001';
  end if;
  return new;
end
$$;
