-- How much a command that runs once finds on standard input; null: nothing is connected.
alter table services.tasks add column input_bytes bigint;
