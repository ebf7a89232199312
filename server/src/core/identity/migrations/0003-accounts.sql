-- People. A password is kept as argon2id with its parameters; null: none was chosen yet, or none is used.
create table identity.users (
  id text primary key,
  email text not null,
  name text not null,
  state text not null check (state in ('invited', 'active', 'disabled')),
  password_hash text,
  created_at timestamptz not null,
  last_login_at timestamptz
);
create unique index users_email on identity.users (lower(email));

-- One-time links: the first admin, an invitation, a new start for somebody who lost password or factors.
create table identity.links (
  hash bytea primary key,
  kind text not null check (kind in ('setup', 'invitation', 'reset')),
  user_id text references identity.users on delete cascade,
  created_at timestamptz not null,
  expires_at timestamptz not null
);

-- Who is logged in where. Only hashes of tokens are kept.
create table identity.sessions (
  id text primary key,
  user_id text not null references identity.users on delete cascade,
  hash bytea not null unique,
  transport text not null check (transport in ('cookie', 'bearer')),
  methods text[] not null,
  address text not null,
  agent text not null,
  created_at timestamptz not null,
  last_used_at timestamptz not null,
  expires_at timestamptz not null,
  stepped_up_at timestamptz
);
create index sessions_user on identity.sessions (user_id);

-- Programs that have logged in before and hold a token that proves it.
create table identity.devices (
  id text primary key,
  user_id text not null references identity.users on delete cascade,
  hash bytea not null unique,
  last_used_at timestamptz not null
);
create index devices_user on identity.devices (user_id);

-- Logins that succeeded: what the next one is compared with.
create table identity.logins (
  user_id text not null references identity.users on delete cascade,
  at timestamptz not null,
  device text,
  network text not null,
  agent text not null,
  place jsonb
);
create index logins_user on identity.logins (user_id, at);

-- Attempts that count as failed. The subject is a hash: accounts that do not exist are delayed like others.
create table identity.attempts (
  subject bytea not null,
  scope text not null,
  failures integer not null,
  last_at timestamptz not null,
  primary key (subject, scope)
);

create table identity.totp (
  user_id text primary key references identity.users on delete cascade,
  sealed_secret bytea not null,
  confirmed_at timestamptz,
  last_step bigint,
  created_at timestamptz not null
);

create table identity.recovery_codes (
  user_id text not null references identity.users on delete cascade,
  hash bytea not null,
  used_at timestamptz,
  primary key (user_id, hash)
);

create table identity.passkeys (
  id text primary key,
  user_id text not null references identity.users on delete cascade,
  name text not null,
  public_key bytea not null,
  counter bigint not null,
  transports text[] not null,
  created_at timestamptz not null,
  last_used_at timestamptz
);
create index passkeys_user on identity.passkeys (user_id);

-- What was begun and waits for its second half: a login, a passkey, a visit at an identity provider.
create table identity.ceremonies (
  hash bytea primary key,
  kind text not null check (kind in ('login', 'passkey-login', 'passkey-registration', 'step-up', 'oidc')),
  user_id text references identity.users on delete cascade,
  data jsonb not null,
  attempts integer not null default 0,
  expires_at timestamptz not null
);

-- Accounts elsewhere that stand for a user here.
create table identity.oidc_accounts (
  issuer text not null,
  subject text not null,
  user_id text not null references identity.users on delete cascade,
  created_at timestamptz not null,
  primary key (issuer, subject)
);
