-- What may identify a person stands beside the entries, each value under a salt of its own, so that it can be erased:
-- the entry keeps the salted hash alone, and with it the leaf of the log. No foreign key: entries may be archived.
create table audit.personal (
  entry text not null,
  -- JSON pointer (RFC 6901) of the value within the entry
  field text not null,
  person text not null,
  salt bytea not null,
  value text not null,
  primary key (entry, field)
);
create index personal_by_person on audit.personal (person);

-- "personal": JSON pointer → SHA-256(salt ‖ value) in hexadecimal. "salt" hides what the leaf only tells the digest of.
alter table audit.entries
  alter column actor_name drop not null,
  add column personal jsonb,
  add column salt bytea not null default uuid_send(gen_random_uuid());

-- Entries that are there already: network addresses are the only personal data that they hold.
drop trigger entries_append_only on audit.entries;
insert into audit.personal (entry, field, person, salt, value)
  select id, '/address', actor_id, uuid_send(gen_random_uuid()), address from audit.entries where address is not null;
update audit.entries as entry set address = null,
  personal = jsonb_build_object('/address', encode(sha256(p.salt || convert_to(p.value, 'UTF8')), 'hex'))
  from audit.personal as p where p.entry = entry.id;

-- The log over the entries: one row, the newest checkpoint that was signed and what keeps the log from going on.
create table audit.log (
  id boolean primary key default true check (id),
  origin text not null,
  vkey text not null,
  size bigint not null default 0,
  note text,
  signed_at timestamptz(3),
  problem text,
  problem_since timestamptz(3)
);

-- Who keeps checkpoints elsewhere, and how far they have come.
create table audit.keepers (
  name text primary key,
  size bigint not null default 0,
  note text,
  kept_at timestamptz(3),
  cosignature text,
  kept_total bigint not null default 0,
  failed_total bigint not null default 0,
  failures integer not null default 0,
  error text,
  next_at timestamptz(3)
);

-- Logs of others that this platform is a witness of: the newest checkpoint that it has signed.
create table audit.witnessed (
  origin text primary key,
  size bigint not null,
  note text not null,
  at timestamptz(3) not null
);

-- Entries that were written to a file and then removed. Only what such a row covers may ever be deleted.
create table audit.archives (
  first_index bigint primary key,
  last_index bigint not null unique,
  file text not null,
  sha256 text not null,
  archived_at timestamptz(3) not null,
  check (first_index <= last_index)
);

-- Append-only, whoever asks. An update that sets nothing but the index of a row without one fires no trigger at all.
create function audit.refuse() returns trigger language plpgsql as $$
begin
  raise exception 'the audit is append-only' using errcode = 'insufficient_privilege';
end
$$;
create trigger entries_never_altered before update of
  id, insertion, at, actor_type, actor_id, actor_name, on_behalf_of, action, resource_type, resource_id, environment,
  service, change, before, after, reason, request_id, address, step_up, personal, salt
  on audit.entries for each row execute function audit.refuse();
create trigger entries_numbered_once before update of index on audit.entries
  for each row when (old.index is not null or new.index is null) execute function audit.refuse();

create function audit.refuse_deletion() returns trigger language plpgsql as $$
begin
  if exists (select from audit.archives where old.index between first_index and last_index) then
    return old;
  end if;
  raise exception 'the audit is append-only' using errcode = 'insufficient_privilege';
end
$$;
create trigger entries_never_deleted before delete on audit.entries
  for each row execute function audit.refuse_deletion();
create trigger archives_append_only before update or delete on audit.archives
  for each row execute function audit.refuse();
create trigger archives_never_truncated before truncate on audit.archives
  for each statement execute function audit.refuse();
create trigger personal_never_altered before update on audit.personal
  for each row execute function audit.refuse();
