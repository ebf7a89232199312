-- The key under which fingerprints of requests are made: one row, sealed.
create table kernel_http.fingerprint_keys (
  id text primary key,
  sealed_key bytea not null
);
