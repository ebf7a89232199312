-- Who has to approve of a change before it begins, who has, and why somebody went on without them.
alter table changes.changes
  add column on_behalf_of jsonb,
  add column plan_digest text not null default '',
  add column approval_rules jsonb not null default '[]',
  add column approvals jsonb not null default '[]',
  add column override_approval text;
