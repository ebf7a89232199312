import {
  BUCKETS,
  dependenciesOf,
  type InstanceResource,
  type ReleaseResource,
  type ServiceResource,
} from "@mainstay/api";
import type { InstanceRow, ReleaseRow, ServiceRow } from "./store.ts";

/** Rows as they go over the wire. */

export function toRelease(row: ReleaseRow): ReleaseResource {
  return {
    id: row.id,
    service: row.service,
    environment: row.environment,
    digest: row.digest,
    version: row.version,
    isSigned: row.signature !== null,
    build: row.build,
    sourceDigest: row.source_digest,
    dependsOn: dependenciesOf(row.snapshot),
    createdAt: row.created_at.toISOString(),
    createdBy: row.created_by,
    collectedAt: row.collected_at?.toISOString() ?? null,
  };
}

export type ObservedInstances = Map<
  string,
  Omit<InstanceResource, "id" | "service" | "environment" | "process" | "release">
>;

export function toInstance(row: InstanceRow, observed: ObservedInstances): InstanceResource {
  const { id, service, environment, process, release } = row;
  const seen = observed.get(id) ?? UNSEEN;
  return { id, service, environment, process, release, ...seen };
}

const UNSEEN = {
  state: "unknown",
  pid: null,
  port: null,
  startedAt: null,
  crashes: 0,
  inflight: 0,
  memoryBytes: null,
  lastExit: null,
} as const;

function toMaintenance({
  maintenance_retry_after_ms: retryAfterMs,
}: ServiceRow): ServiceResource["maintenance"] {
  return retryAfterMs === null ? null : { retryAfterSeconds: Math.ceil(retryAfterMs / 1000) };
}

export function toService(
  row: ServiceRow,
  releases: ReadonlyMap<string, ReleaseRow>,
  instances: InstanceResource[],
): ServiceResource {
  const named = (id: string | null) => {
    const release = id === null ? undefined : releases.get(id);
    return release ? toRelease(release) : null;
  };
  return {
    service: row.name,
    environment: row.environment,
    stable: named(row.stable_release),
    candidate: named(row.candidate_release),
    change: row.change,
    weight: row.weight / BUCKETS,
    maintenance: toMaintenance(row),
    instances: instances.filter((each) => each.service === row.name && each.environment === row.environment),
  };
}
