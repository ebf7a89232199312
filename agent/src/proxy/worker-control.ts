import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { serveJson } from "../system/unix-server.ts";
import { leavingSocket, untilReplaced } from "./successor.ts";
import type {
  WorkerCounters,
  WorkerHttps,
  WorkerOptions,
  WorkerRouting,
  WorkerStatus,
} from "./worker-protocol.ts";

const MAX_DOCUMENT_BYTES = 8 * 1024 * 1024;
/** An upgrade takes seconds; without a successor somebody has stopped the data plane. */
const SUCCESSOR_TIMEOUT_MS = 60_000;
/** How long somebody who leaves waits for its last counts to be fetched. */
const LAST_COUNTS_TIMEOUT_MS = 3000;

type Answer<T> = T | Promise<T>;

/** What the agent can ask of whoever accepts the traffic. */
export interface WorkerControls {
  status(): Answer<WorkerStatus>;
  counters(): Answer<WorkerCounters>;
  applyRouting(routing: WorkerRouting): Answer<WorkerStatus>;
  applyHttps(https: WorkerHttps): Answer<WorkerStatus>;
}

type Place = Pick<WorkerOptions, "runtimeDirectory" | "slot" | "isSocketShared">;

export interface WorkerControl {
  /**
   * For who leaves its slot to another: from `ask` on that one may come. Resolves when it is there, or does
   * not come in time. The agent finds the one that leaves under its own name, and counts with it to its end.
   */
  handOver(ask: () => void): Promise<void>;
  /** The parent is gone: resolves when the next parent's worker is in the slot. */
  untilSucceeded(): Promise<void>;
  close(): Promise<void>;
}

/** The agent's way to a worker: its control socket, in the place of its slot. */
export async function serveWorkerControl(place: Place, controls: WorkerControls): Promise<WorkerControl> {
  const { runtimeDirectory, slot, isSocketShared } = place;
  const path = join(runtimeDirectory, `proxy-${slot}.sock`);
  const control = await serveControls(path, controls);
  let leaving: { close(): Promise<void> } | null = null;
  let isReplaced = false;

  /** Served under a name of its own, so that it can be asked when the slot's is another's. */
  async function leave(): Promise<void> {
    if (leaving) return;
    const ownPath = join(runtimeDirectory, leavingSocket(slot, process.pid));
    let onCounted = () => {};
    const counted = async () => {
      const counts = await controls.counters();
      setImmediate(onCounted);
      return counts;
    };
    const server = await serveControls(ownPath, { ...controls, counters: counted });
    leaving = {
      async close() {
        const isCounted = new Promise<void>((resolve) => (onCounted = resolve));
        if (isReplaced) await Promise.race([isCounted, sleep(LAST_COUNTS_TIMEOUT_MS)]);
        rmSync(ownPath, { force: true });
        await server.close();
      },
    };
  }

  async function untilSucceeded(): Promise<void> {
    isReplaced = await untilReplaced(path, SUCCESSOR_TIMEOUT_MS);
    // Whoever is connected here means the worker of the slot, which is another one now.
    if (isReplaced) await control.close();
  }

  return {
    async close() {
      await leaving?.close();
      await control.close();
    },
    async handOver(ask) {
      await leave();
      ask();
      await untilSucceeded();
    },
    // The socket of a service manager is served until the next
    // parent's worker does; any other dies with its parent.
    async untilSucceeded() {
      if (!isSocketShared) return;
      await leave();
      await untilSucceeded();
    },
  };
}

function serveControls(path: string, { status, counters, applyRouting, applyHttps }: WorkerControls) {
  return serveJson({
    path,
    maxBodyBytes: MAX_DOCUMENT_BYTES,
    routes: {
      "GET /v1/status": status,
      "GET /v1/counters": counters,
      "PUT /v1/routing": ({ body }) => applyRouting(body as WorkerRouting),
      "PUT /v1/https": ({ body }) => applyHttps(body as WorkerHttps),
    },
  });
}

/** What the agent saved last; without it, or with a damaged file, the agent's next push is waited for. */
export function readSaved(path: string | null): unknown {
  if (path === null || !existsSync(path)) return null;
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    process.stderr.write(`${path} is damaged and is left aside: ${String(error)}\n`);
    return null;
  }
}
