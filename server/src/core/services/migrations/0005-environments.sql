-- The name of the service file inside the release: a promotion reads it again for another environment.
alter table services.releases add column file text not null default 'mainstay.yaml';

-- Releases that were registered before these keys existed have their defaults.
update services.releases
set snapshot = jsonb_build_object('verify', '[]'::jsonb, 'freeze', '[]'::jsonb) || snapshot
  || jsonb_build_object('rollout',
    jsonb_build_object('rolling', '{"maxSurge": 1, "maxUnavailable": 0, "bake": 30000}'::jsonb)
    || (snapshot -> 'rollout')
    || jsonb_build_object('judge', '{"probes": [], "probeRate": 5}'::jsonb || (snapshot -> 'rollout' -> 'judge')));
