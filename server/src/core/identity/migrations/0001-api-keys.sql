create schema identity;

-- Who may use the API from a program. Only the SHA-256 of a key is kept: the key itself was shown once.
create table identity.api_keys (
  id text primary key,
  name text not null unique,
  role text not null check (role in ('admin')),
  hash bytea not null,
  created_at timestamptz not null
);
