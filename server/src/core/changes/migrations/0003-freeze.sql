-- The freeze windows a change was prepared with, and why somebody went on in spite of one.
alter table changes.changes
  add column "freeze" jsonb not null default '[]',
  add column override_freeze text;
