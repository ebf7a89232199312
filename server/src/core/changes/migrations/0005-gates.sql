-- Where the gates of a change stand, and how they stood at each transition.
alter table changes.changes add column gates jsonb not null default '[]';
alter table changes.timeline add column gates jsonb;
