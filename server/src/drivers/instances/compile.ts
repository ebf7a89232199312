import path from "node:path";
import {
  BUILD,
  serviceFile,
  type DesiredState,
  type InstanceSpec,
  type ServiceFile,
  type ServiceRouting,
} from "@mainstay/api";
import type { BuildRow } from "../../core/builds/index.ts";
import {
  taskInputFile,
  type Arrangement,
  type InstanceRow,
  type ReleaseRow,
  type ServiceRow,
  type TaskRow,
} from "../../core/services/index.ts";

/** Between SIGTERM and SIGKILL, for a command that is to end before it does so by itself. */
const TASK_STOP_TIMEOUT_MS = 10_000;

type ProcessType = ServiceFile["processes"][string];

export interface CompileSettings {
  dataDirectory: string;
  leaseTtlMs: number;
  requestTimeoutMs: number;
  drainTimeoutMs: number;
  /** Where the data plane finds the server itself; null: nowhere. */
  api: { host: string; port: number } | null;
}

type Health = NonNullable<ProcessType["health"]>;

/** For releases that were registered before service files spoke of connections. */
const DEFAULT_CONNECTIONS = serviceFile.shape.connections.parse(undefined);

/** A build that ought to run, and where. */
export type PlacedBuild = BuildRow & { place: { files: string; home: string; log: string } };

/** The arrangement of production in the agent's words; `generation` is set by the sender. */
export function compile(
  arrangement: Arrangement & { builds: PlacedBuild[] },
  settings: CompileSettings,
): DesiredState {
  return {
    generation: 0,
    leaseTtlMs: settings.leaseTtlMs,
    instances: [
      ...arrangement.instances.map((row) => toSpec(row, arrangement, settings)),
      ...arrangement.tasks.map((row) => toTaskSpec(row, arrangement, settings)),
      ...arrangement.builds.map(toBuildSpec),
    ],
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
    ...commonSpec(row, arrangement, settings),
    process: row.process,
    command: process.command ?? null,
    ...containerOf(process),
    port: port ?? null,
    health: health ? probeOf(health) : null,
    stopTimeoutMs: process.stopTimeout,
    ...(process.singleton ? { singleton: true } : {}),
  };
}

/** Where a container listens whose service file does not say. */
const CONTAINER_PORT = 8080;

function containerOf({
  image,
  containerPort = CONTAINER_PORT,
}: ProcessType): Pick<InstanceSpec, "container"> {
  return image === undefined ? {} : { container: { image, port: containerPort } };
}

/** Commands run where the process does that has the port, or else the first one: there their code is. */
function taskPlace({ processes }: ServiceFile): Pick<InstanceSpec, "container"> {
  const all = Object.values(processes);
  const chosen = all.find((each) => each.port !== undefined) ?? all[0];
  return chosen ? containerOf(chosen) : {};
}

/** A command that runs once, with everything a process of the release would find. */
function toTaskSpec(row: TaskRow, arrangement: Arrangement, settings: CompileSettings): InstanceSpec {
  if (row.kind === "rehearsal") return toRehearsalSpec(row, arrangement, settings);
  return {
    ...commonSpec(row, arrangement, settings),
    process: row.kind,
    command: row.command,
    ...taskPlace(releaseOf(arrangement, row.release).snapshot),
    port: null,
    health: null,
    stopTimeoutMs: TASK_STOP_TIMEOUT_MS,
    once: { timeoutMs: Number(row.timeout_ms), ...inputOf(row, settings) },
  };
}

function inputOf({ id, input_bytes: bytes }: TaskRow, { dataDirectory }: CompileSettings) {
  return bytes === null ? {} : { input: taskInputFile(dataDirectory, id) };
}

/** The process that serves, under another name: nothing is routed to it, and it collides with nobody. */
function toRehearsalSpec(row: TaskRow, arrangement: Arrangement, settings: CompileSettings): InstanceSpec {
  const { snapshot } = releaseOf(arrangement, row.release);
  const process = Object.values(snapshot.processes).find((each) => each.port !== undefined);
  if (!process?.health) throw new Error(`release ${row.release} has no process that serves`);
  const { health, stopTimeout: stopTimeoutMs } = process;
  return {
    ...commonSpec(row, arrangement, settings),
    ...{ process: row.kind, command: process.command ?? null, port: "auto", stopTimeoutMs },
    ...containerOf(process),
    health: probeOf(health),
  };
}

function probeOf({ path: asked, interval, timeout }: Health): NonNullable<InstanceSpec["health"]> {
  return { path: asked, intervalMs: interval, timeoutMs: timeout };
}

/**
 * A command that makes a release: none of a service's variables are its own, and it has limits of its own.
 */
function toBuildSpec({ id, service, environment, step, place }: PlacedBuild): InstanceSpec {
  return {
    ...{ id, service, environment, process: BUILD, release: id, directory: place.files },
    command: step.command,
    env: { ...step.env, HOME: place.home },
    ...{ port: null, health: null, logDirectory: place.log },
    stopTimeoutMs: TASK_STOP_TIMEOUT_MS,
    once: { timeoutMs: step.timeout },
    resources: { memoryBytes: step.memory, cpu: step.cpu },
  };
}

function commonSpec(row: InstanceRow | TaskRow, arrangement: Arrangement, settings: CompileSettings) {
  const { id, service, environment } = row;
  const { directory, snapshot, id: release } = releaseOf(arrangement, row.release);
  const { memory, cpu } = snapshot.resources;
  const isLimited = memory !== undefined || cpu !== undefined;
  return {
    ...{ id, service, environment, release, directory },
    env: { ...snapshot.env, ...arrangement.secrets.get(release), ...("env" in row ? row.env : {}) },
    logDirectory: path.join(settings.dataDirectory, "instances", id, "log"),
    ...(isLimited ? { resources: { memoryBytes: memory ?? null, cpu: cpu ?? null } } : {}),
  };
}

function toRouting(row: ServiceRow, arrangement: Arrangement, settings: CompileSettings): ServiceRouting {
  const speaking = arrangement.releases.get(row.stable_release ?? row.candidate_release ?? "");
  const { balance, weights, drain, hold } = speaking?.snapshot.connections ?? DEFAULT_CONNECTIONS;
  const retryAfterMs = row.maintenance_retry_after_ms;
  return {
    service: row.name,
    environment: row.environment,
    routes: speaking ? routesOf(speaking) : [],
    change: row.change,
    assignmentHeader: speaking?.snapshot.rollout.assignmentHeader ?? null,
    weight: row.weight,
    proven: row.proven,
    stable: armOf(row.stable_release, arrangement),
    candidate: armOf(row.candidate_release, arrangement),
    requestTimeoutMs: settings.requestTimeoutMs,
    drainTimeoutMs: settings.drainTimeoutMs,
    connections: { balance, weights, drainTimeoutMs: drain, holdTimeoutMs: hold },
    maintenance: retryAfterMs === null ? null : { retryAfterMs },
    ...(speaking ? { answers: answersOf(speaking) } : {}),
  };
}

/** What has no port takes no requests away from others. */
function routesOf({ snapshot }: ReleaseRow): ServiceRouting["routes"] {
  if (servingProcess(snapshot) === undefined) return [];
  return snapshot.routes.map(({ host, path: start }) => ({ host: host ?? null, path: start }));
}

/** The name of the process with a port. */
function servingProcess({ processes }: ServiceFile): string | undefined {
  return Object.entries(processes).find(([, spec]) => spec.port !== undefined)?.[0];
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
  const serving = servingProcess(release.snapshot);
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
