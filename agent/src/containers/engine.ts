import type { IncomingMessage } from "node:http";
import { createEngineHttp } from "./engine-http.ts";

/** What a container is made from, as the engine is told. */
export interface ContainerPlan {
  name: string;
  image: string;
  /** In place of what the image starts. */
  command: string[] | null;
  environment: Record<string, string>;
  labels: Record<string, string>;
  /** Files of this machine that it may read. */
  files: { outside: string; inside: string }[];
  /** A port of the container that is reached at one of 127.0.0.1. */
  port: { inside: number; outside: number } | null;
  memoryBytes: number | null;
  cpu: number | null;
}

export interface ContainerState {
  id: string;
  isRunning: boolean;
  /** Of its first process, as this machine numbers it; 0 when it does not run. */
  pid: number;
  exitCode: number;
  isOutOfMemory: boolean;
}

export interface ListedContainer {
  id: string;
  labels: Record<string, string>;
}

export interface ContainerEngine {
  /** Null: there is no such image on this machine. */
  image(image: string): Promise<{ digests: string[] } | null>;
  /** The engine's lines about the pull, one JSON document each. */
  pull(image: string, signal: AbortSignal): Promise<IncomingMessage>;
  /** False: a container uses it, or it is not here. */
  removeImage(image: string): Promise<boolean>;
  create(plan: ContainerPlan): Promise<string>;
  start(id: string): Promise<void>;
  /** Null: there is none. */
  inspect(id: string): Promise<ContainerState | null>;
  /** Resolves when it does not run any more. */
  wait(id: string): Promise<void>;
  signal(id: string, name: "SIGTERM" | "SIGKILL"): Promise<void>;
  /** Whether it runs or not; there may be none. */
  remove(id: string): Promise<void>;
  list(labels: Record<string, string>): Promise<ListedContainer[]>;
  /** Its output since a time, then what follows, in frames (see log-frames.ts). */
  logs(id: string, sinceSeconds: number, signal: AbortSignal): Promise<IncomingMessage>;
}

/** Enough to be read before it is cut, and little enough to forget about. */
const ENGINE_LOG = { Type: "json-file", Config: { "max-size": "16m", "max-file": "2" } };
const NANOS = 1e9;

/**
 * A container engine behind its UNIX socket: what is needed of the Docker Engine API 1.41, which Docker and
 * Podman both answer (https://docs.docker.com/reference/api/engine/).
 */
export function createContainerEngine(socket: string | undefined): ContainerEngine {
  const http = createEngineHttp(socket);
  const of = (id: string) => `/containers/${encodeURIComponent(id)}`;

  return {
    async image(image) {
      const { status, body } = await http.call("GET", `/images/${image}/json`);
      return status === 404 ? null : { digests: listOf(Object(body).RepoDigests).map(String) };
    },
    pull: (image, signal) =>
      http.open("POST", `/images/create?fromImage=${encodeURIComponent(image)}`, { signal }),
    removeImage: (image) =>
      http.call("DELETE", `/images/${image}`).then(
        ({ status }) => status === 200,
        () => false,
      ),
    async create(plan) {
      const path = `/containers/create?name=${encodeURIComponent(plan.name)}`;
      const { status, body } = await http.call("POST", path, { body: wordsOfPlan(plan) });
      if (status === 404) throw new Error(`the image ${plan.image} is not on this machine`);
      return String(Object(body).Id);
    },
    start: async (id) => void (await http.call("POST", `${of(id)}/start`)),
    async inspect(id) {
      const { status, body } = await http.call("GET", `${of(id)}/json`);
      return status === 404 ? null : readState(Object(body));
    },
    // However long it takes.
    wait: async (id) =>
      void (await http.call("POST", `${of(id)}/wait?condition=not-running`, {
        signal: new AbortController().signal,
      })),
    signal: async (id, name) => void (await http.call("POST", `${of(id)}/kill?signal=${name}`)),
    remove: async (id) => void (await http.call("DELETE", `${of(id)}?force=1&v=1`)),
    async list(labels) {
      const label = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
      const filters = encodeURIComponent(JSON.stringify({ label }));
      const { body } = await http.call("GET", `/containers/json?all=1&filters=${filters}`);
      return listOf(body).map((each) => {
        const { Id, Labels } = Object(each);
        return { id: String(Id), labels: Object(Labels) };
      });
    },
    logs(id, sinceSeconds, signal) {
      const query = `follow=1&stdout=1&stderr=1&timestamps=1&since=${sinceSeconds}`;
      return http.open("GET", `${of(id)}/logs?${query}`, { signal });
    },
  };
}

function wordsOfPlan(plan: ContainerPlan) {
  const { image, command, environment, labels, files, port, memoryBytes, cpu } = plan;
  const inside = port && `${port.inside}/tcp`;
  return {
    Image: image,
    ...(command ? { Entrypoint: command, Cmd: [] } : {}),
    Env: Object.entries(environment).map(([name, value]) => `${name}=${value}`),
    Labels: labels,
    ...(inside ? { ExposedPorts: { [inside]: {} } } : {}),
    HostConfig: {
      ...(inside && port
        ? { PortBindings: { [inside]: [{ HostIp: "127.0.0.1", HostPort: String(port.outside) }] } }
        : {}),
      Mounts: files.map(({ outside, inside: Target }) => ({
        ...{ Type: "bind", Source: outside, Target, ReadOnly: true },
      })),
      // Swap counts in, so that the limit is one.
      ...(memoryBytes === null ? {} : { Memory: memoryBytes, MemorySwap: memoryBytes }),
      ...(cpu === null ? {} : { NanoCpus: Math.round(cpu * NANOS) }),
      SecurityOpt: ["no-new-privileges"],
      RestartPolicy: { Name: "no" },
      LogConfig: ENGINE_LOG,
    },
  };
}

function readState({ Id, State }: { Id?: unknown; State?: unknown }): ContainerState {
  const { Running, Pid, ExitCode, OOMKilled } = Object(State);
  return {
    id: String(Id),
    isRunning: Running === true,
    pid: Number(Pid ?? 0),
    exitCode: Number(ExitCode ?? 0),
    isOutOfMemory: OOMKilled === true,
  };
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
