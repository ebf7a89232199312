-- What short-lived tokens are signed with. A key is published before it signs, and after it for as long as its
-- last token lives; `sealed_seed` is its secret half.
create table identity.signing_keys (
  kid text primary key,
  x text not null,
  sealed_seed bytea not null,
  signs_from timestamptz not null,
  signs_until timestamptz not null,
  created_at timestamptz not null
);
