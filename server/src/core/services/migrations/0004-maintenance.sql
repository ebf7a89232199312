-- Set: the service is under maintenance, and visitors are told to come back after so long.
alter table services.services
  add column maintenance_retry_after_ms integer check (maintenance_retry_after_ms > 0);
