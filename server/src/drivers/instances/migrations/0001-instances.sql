create schema instances;

-- Up to where the agent's journal (what it did while no server was there) has been written into the audit log.
create table instances.journal_cursor (
  is_single boolean primary key default true check (is_single),
  seq bigint not null
);
insert into instances.journal_cursor (seq) values (0);
