-- Beside release commands a change has the stable release rehearsed and hooks run. `name` tells those of one
-- change apart: of a rehearsal the code whose release command is tried, of a hook the moment it belongs to.
-- `env` are variables beyond those of the release.
alter table services.tasks
  add column name text not null default '',
  add column env jsonb not null default '{}',
  drop constraint tasks_change_attempt_key,
  add unique (change, kind, name, attempt);

-- Service files say more than they did; what was registered before says it by its default.
update services.releases set snapshot = snapshot || '{"hooks": []}';
