create schema kernel_http;

-- One row per Idempotency-Key of an actor; without a status the first request is still being worked on.
create table kernel_http.idempotency_keys (
  actor text not null,
  key text not null,
  fingerprint text not null,
  attempt text not null,
  begun_at timestamptz not null,
  status integer,
  headers jsonb,
  body text,
  primary key (actor, key)
);
create index idempotency_keys_by_age on kernel_http.idempotency_keys (begun_at);
