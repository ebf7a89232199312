import type { Log } from "../system/log.ts";
import { isSameProcess, readProcess } from "../system/process-table.ts";
import type { Exit, Life, LifeFacts, Order, Way } from "../supervisor/way.ts";
import { createContainerProof } from "./container-proof.ts";
import type { ContainerEngine, ContainerState } from "./engine.ts";
import type { Images } from "./images.ts";
import { copyLogs } from "./log-copy.ts";
import { persist } from "./persist.ts";

/** How long the last lines of a container that has ended may take. */
const LAST_LINES_MS = 5000;
/** Where a container finds what a command is given on standard input. */
const INPUT = "/run/mainstay-input";
const AGENT = "mainstay.agent";
const INSTANCE = "mainstay.instance";

export interface ContainerWayOptions {
  /** Names this agent in the labels of its containers. */
  agentId: string;
  engine: ContainerEngine;
  images: Pick<Images, "resolve">;
  log: Log;
}

export interface ContainerWay extends Way {
  /** Ends containers of this agent whose instance nobody knows: what it left when it was killed. */
  sweep(isKnown: (instance: string) => boolean): Promise<number>;
}

/** Runs instances in containers. What the engine keeps of them is found again by its labels. */
export function createContainerWay({ agentId, engine, images, log }: ContainerWayOptions): ContainerWay {
  const labelsOf = (id: string) => ({ [AGENT]: agentId, [INSTANCE]: id });

  async function launch(order: Order): Promise<Life> {
    const { id, container, environment, port, resources, service, input } = order;
    if (!container) throw new Error("there is no image");
    const image = await images.resolve(container.image);
    for (const left of await engine.list(labelsOf(id))) await engine.remove(left.id);
    const made = await engine.create({
      ...{ name: `mainstay-${id}`, image, environment },
      command: commandOf(order),
      files: input === null ? [] : [{ outside: input, inside: INPUT }],
      labels: { ...labelsOf(id), "mainstay.service": service, "mainstay.image": image },
      port: port === null ? null : { inside: container.port, outside: port },
      memoryBytes: resources?.memoryBytes ?? null,
      cpu: resources?.cpu ?? null,
    });
    try {
      await engine.start(made);
    } catch (error) {
      await engine.remove(made);
      throw error;
    }
    const state = await engine.inspect(made);
    return live(order, made, state?.pid ?? 0);
  }

  function live(order: Order, container: string, pid: number): Life {
    const { id, logDirectory } = order;
    const startTicks = readProcess(pid)?.startTicks ?? 0;
    const onError = (error: unknown) =>
      log.warn({ instance: id, error: String(error) }, "the output of a container could not be copied");
    const logs = copyLogs({ engine, container, logDirectory, onError });
    const exited = awaitEnd(container).then(async (exit) => {
      await logs.finish(LAST_LINES_MS);
      return exit;
    });
    return {
      ...{ pid, startTicks, handle: container, exited },
      proof: order.port === null ? () => null : createContainerProof(pid, order.container?.port ?? 0),
      end: (timeoutMs) => end(container, exited, timeoutMs),
      kill: () => end(container, exited, 0),
    };
  }

  /** However often the engine is away or stumbles in between. */
  async function awaitEnd(container: string): Promise<Exit> {
    async function ask(): Promise<ContainerState | null> {
      await engine.wait(container);
      return engine.inspect(container);
    }
    return exitOf(await persist(ask, () => true));
  }

  async function end(container: string, exited: Promise<unknown>, timeoutMs: number): Promise<void> {
    const { promise: timeout, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, timeoutMs);
    // It may have ended by itself.
    if (timeoutMs > 0) await engine.signal(container, "SIGTERM").catch(() => undefined);
    await Promise.race([exited, timeout]);
    clearTimeout(timer);
    await engine.signal(container, "SIGKILL").catch(() => undefined);
    await exited;
    await persist(() => engine.remove(container));
  }

  return {
    name: "container",
    launch,
    adopt: (order, { pid, startTicks, handle }) =>
      handle && isSameProcess(pid, startTicks) ? live(order, handle, pid) : null,
    async findOnce(order) {
      const [left] = await persist(() => engine.list(labelsOf(order.id)));
      const state = left ? await persist(() => engine.inspect(left.id)) : null;
      return left && state ? live(order, left.id, state.pid) : exitOf(null);
    },
    endLeft: ({ handle }: LifeFacts, timeoutMs) =>
      handle ? end(handle, awaitEnd(handle), timeoutMs) : Promise.resolve(),
    async sweep(isKnown) {
      const all = await persist(() => engine.list({ [AGENT]: agentId }));
      const orphans = all.filter((each) => !isKnown(each.labels[INSTANCE] ?? ""));
      for (const { id } of orphans) await engine.remove(id);
      return orphans.length;
    },
  };
}

function commandOf({ command, input }: Order): string[] | null {
  if (command === null) return null;
  return ["/bin/sh", "-c", input === null ? `exec ${command}` : `exec <${INPUT}; exec ${command}`];
}

function exitOf(state: ContainerState | null): Exit {
  if (!state) return { code: null, signal: null };
  return { code: state.exitCode, signal: null, ...(state.isOutOfMemory ? { cause: "memory" } : {}) };
}
