create schema certificates;

-- One row per host that a certificate is ordered for. The chain is public; its key lies in a file of the data
-- directory, never here.
create table certificates.certificates (
  host text primary key,
  chain text,
  not_before timestamptz,
  not_after timestamptz,
  attempts integer not null default 0,
  last_attempt_at timestamptz,
  next_attempt_at timestamptz not null,
  problem text,
  created_at timestamptz not null,
  updated_at timestamptz not null
);

-- Whoever holds it places orders: one at a time, however many servers there are.
create table certificates.lease (
  is_single boolean primary key default true check (is_single),
  holder text,
  expires_at timestamptz not null default '-infinity'
);
insert into certificates.lease default values;
