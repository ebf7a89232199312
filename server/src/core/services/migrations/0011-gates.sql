-- Service files have gates: for the whole rollout, and in each stage.
update services.releases
set snapshot = jsonb_set(
  snapshot,
  '{rollout}',
  (snapshot -> 'rollout') || jsonb_build_object(
    'gates', '[]'::jsonb,
    'stages', (
      select coalesce(jsonb_agg('{"gates": []}'::jsonb || stage order by position), '[]'::jsonb)
      from jsonb_array_elements(snapshot -> 'rollout' -> 'stages') with ordinality as stages (stage, position)
    )
  )
);
