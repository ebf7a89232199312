-- breaks the version before
-- Entries come in here, where next to nothing is indexed; the sequencer moves them into audit.entries, many at a time,
-- with the number that they get. So an entry is entered into its indexes once, and audit.entries is only inserted into.
-- Numbers of insertion are of one sequence for both tables.
create table audit.incoming (
  insertion bigint primary key default nextval('audit.entries_insertion_seq'),
  id text not null,
  at timestamptz(3) not null,
  actor_type text not null,
  actor_id text not null,
  actor_name text,
  on_behalf_of jsonb,
  action text not null,
  resource_type text not null,
  resource_id text not null,
  environment text,
  service text,
  change text,
  before jsonb,
  after jsonb,
  reason text,
  request_id text,
  step_up jsonb,
  personal jsonb,
  salt bytea not null,
  -- What goes into audit.personal with it.
  disclosed jsonb
);

-- Personal data of an entry: one row, JSON pointer → {person, salt, value}, the salt in hexadecimal.
alter table audit.personal rename to personal_values;
create table audit.personal (entry text primary key, disclosed jsonb not null);
insert into audit.personal (entry, disclosed)
  select entry, jsonb_object_agg(
    field, jsonb_build_object('person', person, 'salt', encode(salt, 'hex'), 'value', value)
  ) from audit.personal_values group by entry;
drop table audit.personal_values;

drop trigger entries_never_altered on audit.entries;
drop trigger entries_numbered_once on audit.entries;
drop trigger entries_never_deleted on audit.entries;
drop function audit.refuse_alteration() cascade;

insert into audit.incoming (
    insertion, id, at, actor_type, actor_id, actor_name, on_behalf_of, action, resource_type, resource_id,
    environment, service, change, before, after, reason, request_id, step_up, personal, salt, disclosed
  ) select insertion, id, at, actor_type, actor_id, actor_name, on_behalf_of, action, resource_type, resource_id,
    environment, service, change, before, after, reason, request_id, step_up, entry.personal, salt, p.disclosed
  from audit.entries as entry left join audit.personal as p on p.entry = entry.id where index is null;
delete from audit.personal where entry in (select id from audit.incoming);
delete from audit.entries where index is null;
drop index audit.entries_unnumbered;
alter table audit.entries alter column index set not null, alter column salt drop default, drop column address;

create view audit.all_entries as
  select index, insertion, id, at, actor_type, actor_id, actor_name, on_behalf_of, action, resource_type, resource_id,
    environment, service, change, before, after, reason, request_id, step_up, personal, salt, null::jsonb as disclosed
  from audit.entries
  union all
  select null, insertion, id, at, actor_type, actor_id, actor_name, on_behalf_of, action, resource_type, resource_id,
    environment, service, change, before, after, reason, request_id, step_up, personal, salt, disclosed
  from audit.incoming;

-- Append-only, whoever asks: an entry leaves where it came in for audit.entries and nowhere else, and personal data may
-- become less and never other than it was.
create trigger entries_never_altered before update on audit.entries
  for each row execute function audit.refuse();
create trigger entries_never_deleted before delete on audit.entries
  for each row execute function audit.refuse_deletion();
create trigger entries_never_truncated before truncate on audit.entries
  for each statement execute function audit.refuse();
create trigger incoming_never_altered before update of
  insertion, id, at, actor_type, actor_id, actor_name, on_behalf_of, action, resource_type, resource_id, environment,
  service, change, before, after, reason, request_id, step_up, personal, salt
  on audit.incoming for each row execute function audit.refuse();
create trigger incoming_only_erased before update of disclosed on audit.incoming
  for each row when (new.disclosed is not null and (new.disclosed <@ old.disclosed) is not true)
  execute function audit.refuse();
create trigger incoming_never_truncated before truncate on audit.incoming
  for each statement execute function audit.refuse();
create trigger personal_only_erased before update on audit.personal
  for each row when (new.entry <> old.entry or not new.disclosed <@ old.disclosed)
  execute function audit.refuse();

create function audit.refuse_loss() returns trigger language plpgsql as $$
begin
  if exists (select from gone where not exists (select from audit.entries as entry where entry.id = gone.id)) then
    raise exception 'the audit is append-only' using errcode = 'insufficient_privilege';
  end if;
  return null;
end
$$;
create trigger incoming_never_lost after delete on audit.incoming referencing old table as gone
  for each statement execute function audit.refuse_loss();
