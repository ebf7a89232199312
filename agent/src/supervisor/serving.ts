import type { DesiredState } from "@mainstay/api";
import { setTimeout as sleep } from "node:timers/promises";
import type { Log } from "../system/log.ts";
import type { AgentStore } from "./agent-store.ts";
import type { Events } from "./events.ts";
import type { Fleet } from "./fleet.ts";
import type { InstanceFacts } from "./instance.ts";
import { createLease } from "./lease.ts";
import type { Publisher } from "./publisher.ts";
import type { DrainTimeouts, Workers } from "./workers.ts";

/** For what is left of a service that nobody knows any more. */
const DEFAULT_DRAIN: DrainTimeouts = { requestsMs: 30_000, streamsMs: 30_000 };
/** How long a desired state waits for the workers to have the new table before it is answered. */
const PUSH_PATIENCE_MS = 1000;

/** What the agent holds on to: what the server wants, and whether the server has been heard of in time. */
export interface Held {
  desired: DesiredState;
  leaseExpired: boolean;
}

export interface Serving {
  /** Takes up the processes an earlier agent left; what nobody wants any more is drained and ended. */
  begin(left: InstanceFacts[], wasDesired: boolean): void;
  /** False when a later generation is applied already. */
  put(next: DesiredState): Promise<boolean>;
  stop(): void;
}

interface ServingParts {
  held: Held;
  store: AgentStore;
  fleet: Fleet;
  publisher: Publisher;
  workers: Workers;
  events: Events;
  log: Log;
}

/** Applies what the server desires, and what it had proven when it falls silent. */
export function createServing(parts: ServingParts): Serving {
  const { held, store, fleet, publisher, workers, events, log } = parts;
  const drainTimeouts = new Map<string, DrainTimeouts>();
  const lease = createLease({ nowMs: () => performance.now(), schedule, onExpired });
  let expiring: Promise<void> = Promise.resolve();

  function onExpired(): void {
    expiring = expire().catch((error: unknown) => log.error({ error: String(error) }, "falling back failed"));
  }

  /** Back to what was proven; written to the journal before it takes effect. */
  async function expire(): Promise<void> {
    const falling = held.desired.services.filter((each) => each.weight !== each.proven);
    for (const { service, environment, change, weight, proven } of falling) {
      const detail = { weight, proven };
      await store.journal
        .append({ act: "lease-expired", service, environment, change, detail })
        .catch((error: unknown) => log.error({ error: String(error) }, "the journal could not be written"));
    }
    held.leaseExpired = true;
    const services = falling.map((each) => each.service);
    log.warn({ generation: held.desired.generation, services }, "the lease of the server has expired");
    events.emit("lease.expired", "lease", { services });
    await Promise.all([publisher.publish(), store.saveDesired(held)]);
  }

  async function put(next: DesiredState): Promise<boolean> {
    await expiring;
    if (next.generation < held.desired.generation) return false;
    lease.renew(next.leaseTtlMs);
    const isNew = held.leaseExpired || JSON.stringify(next) !== JSON.stringify(held.desired);
    held.desired = next;
    held.leaseExpired = false;
    for (const each of next.services) {
      const { drainTimeoutMs, connections } = each;
      drainTimeouts.set(serviceKey(each), {
        requestsMs: drainTimeoutMs,
        streamsMs: connections.drainTimeoutMs,
      });
    }
    const leaving = fleet.apply(next.instances);
    const published = publisher.publish();
    for (const instance of leaving) {
      const timeouts = drainTimeouts.get(serviceKey(instance.spec())) ?? DEFAULT_DRAIN;
      const drained = published.then(() => workers.drain(instance.id, timeouts));
      fleet.retire(instance, drained).catch((error: unknown) => reportStuck(instance.id, error));
    }
    const patience = sleep(PUSH_PATIENCE_MS, undefined, { ref: false });
    await Promise.all([isNew ? store.saveDesired(held) : undefined, Promise.race([published, patience])]);
    return true;
  }

  function reportStuck(instance: string, error: unknown): void {
    log.error({ instance, error: String(error) }, "an instance could not be ended");
  }

  return {
    put,
    begin(left, wasDesired) {
      const strays = fleet.recover(held.desired.instances, left);
      const published = publisher.publish();
      for (const facts of strays) {
        const drained = published.then(() => workers.drain(facts.id, DEFAULT_DRAIN));
        fleet.retireStray(facts, drained).catch((error: unknown) => reportStuck(facts.id, error));
      }
      if (wasDesired && !held.leaseExpired) lease.renew(held.desired.leaseTtlMs);
    },
    stop: lease.stop,
  };
}

function schedule(act: () => void, afterMs: number): () => void {
  const timer = setTimeout(act, afterMs);
  return () => clearTimeout(timer);
}

function serviceKey({ service, environment }: { service: string; environment: string }): string {
  return JSON.stringify([environment, service]);
}
