import path from "node:path";
import type { DesiredState, InstanceSpec, ServiceFile, ServiceRouting } from "@mainstay/api";
import type { Arrangement, InstanceRow, ReleaseRow, ServiceRow } from "../../core/services/index.ts";

export interface CompileSettings {
  dataDirectory: string;
  leaseTtlMs: number;
  requestTimeoutMs: number;
  drainTimeoutMs: number;
  /** Where the data plane finds the server itself; null: nowhere. */
  api: { host: string; port: number } | null;
}

/** The arrangement of production in the agent's words; `generation` is set by the sender. */
export function compile(arrangement: Arrangement, settings: CompileSettings): DesiredState {
  return {
    generation: 0,
    leaseTtlMs: settings.leaseTtlMs,
    instances: arrangement.instances.map((row) => toSpec(row, arrangement, settings)),
    services: arrangement.services.map((row) => toRouting(row, arrangement, settings)),
    ...(settings.api ? { api: settings.api } : {}),
  };
}

function toSpec(row: InstanceRow, arrangement: Arrangement, settings: CompileSettings): InstanceSpec {
  const release = releaseOf(arrangement, row.release);
  const process = release.snapshot.processes[row.process];
  if (!process) throw new Error(`release ${release.id} has no process ${row.process}`);
  const { health, port } = process;
  return {
    id: row.id,
    service: row.service,
    environment: row.environment,
    process: row.process,
    release: row.release,
    directory: release.directory,
    command: process.command,
    env: { ...release.snapshot.env, ...arrangement.secrets.get(release.id) },
    port: port ?? null,
    health: health ? { path: health.path, intervalMs: health.interval, timeoutMs: health.timeout } : null,
    stopTimeoutMs: process.stopTimeout,
    logDirectory: path.join(settings.dataDirectory, "instances", row.id, "log"),
  };
}

function toRouting(row: ServiceRow, arrangement: Arrangement, settings: CompileSettings): ServiceRouting {
  const speaking = arrangement.releases.get(row.stable_release ?? row.candidate_release ?? "");
  return {
    service: row.name,
    environment: row.environment,
    routes: (speaking?.snapshot.routes ?? []).map((each) => ({ host: each.host ?? null, path: each.path })),
    change: row.change,
    assignmentHeader: speaking?.snapshot.rollout.assignmentHeader ?? null,
    weight: row.weight,
    proven: row.proven,
    stable: armOf(row.stable_release, arrangement),
    candidate: armOf(row.candidate_release, arrangement),
    requestTimeoutMs: settings.requestTimeoutMs,
    drainTimeoutMs: settings.drainTimeoutMs,
    ...(speaking ? { answers: answersOf(speaking) } : {}),
  };
}

const NO_ANSWER_SETTINGS: Partial<ServiceFile> = { compression: true, headers: { security: false } };

/** Releases from before these settings existed have none of them. */
function answersOf({ snapshot }: ReleaseRow): NonNullable<ServiceRouting["answers"]> {
  const { compression, headers } = { ...NO_ANSWER_SETTINGS, ...snapshot };
  return { compression, securityHeaders: headers.security };
}

/** The instances of a release that take requests: those of the process with a port. */
function armOf(releaseId: string | null, arrangement: Arrangement) {
  const release = releaseId === null ? undefined : arrangement.releases.get(releaseId);
  if (!release) return null;
  const serving = Object.entries(release.snapshot.processes).find(([, spec]) => spec.port !== undefined)?.[0];
  const instances = arrangement.instances.filter(
    (each) => each.release === release.id && each.process === serving,
  );
  return { release: release.id, instances: instances.map((each) => each.id) };
}

function releaseOf(arrangement: Arrangement, id: string): ReleaseRow {
  const release = arrangement.releases.get(id);
  if (!release) throw new Error(`release ${id} is not in the arrangement`);
  return release;
}
