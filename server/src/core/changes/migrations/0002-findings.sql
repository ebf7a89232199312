-- What the pre-flight found, and which of its errors an admin said are not to stop the change.
alter table changes.changes
  add column findings jsonb not null default '[]',
  add column force jsonb not null default '[]';
