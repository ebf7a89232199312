create schema audit;

-- Who changed what, written in the transaction of the change. "index" is given by the sequencer to committed rows, from
-- 1 and without a gap; until then it is null.
create table audit.entries (
  id text primary key,
  insertion bigint generated always as identity,
  index bigint unique,
  at timestamptz(3) not null,
  actor_type text not null,
  actor_id text not null,
  actor_name text not null,
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
  address text,
  step_up jsonb
);
create index entries_unnumbered on audit.entries (insertion) where index is null;
create index entries_by_resource on audit.entries (resource_type, resource_id, index);
create index entries_by_change on audit.entries (change, index) where change is not null;
create index entries_by_actor on audit.entries (actor_id, index);

-- Append-only, whoever asks: the one update that exists gives a row its index, once.
create function audit.refuse_alteration() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' and old.index is null and new.index is not null then
    if to_jsonb(new) - 'index' = to_jsonb(old) - 'index' then
      return new;
    end if;
  end if;
  raise exception 'the audit is append-only' using errcode = 'insufficient_privilege';
end
$$;
create trigger entries_append_only before update or delete on audit.entries
  for each row execute function audit.refuse_alteration();
create trigger entries_never_truncated before truncate on audit.entries
  for each statement execute function audit.refuse_alteration();
