import type { AgentClient } from "@mainstay/agent";
import type { DesiredState, ObservedState } from "@mainstay/api";
import type { Builds } from "../../core/builds/index.ts";
import type { Services } from "../../core/services/index.ts";
import type { LongRunning } from "../../kernel/actors.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { Log } from "../../kernel/log.ts";
import type { Database } from "../../kernel/database/index.ts";
import type { TypedEvents } from "../../kernel/events/index.ts";
import { createWake } from "../../kernel/wake.ts";
import { compile, type CompileSettings } from "./compile.ts";
import type { JournalAuditor } from "./journal.ts";
import { measuredInstances, measuredTargets, type MeasuredInstance } from "./measured-instances.ts";
import { createTeller } from "./teller.ts";

/** Well below the lease, so that one lost beat does no harm. */
const BEAT_MS = 2000;
const RECONNECT_MS = 500;

export interface AgentLinkDependencies {
  agent: AgentClient;
  services: Services;
  builds: Pick<Builds, "running" | "placeOf">;
  settings: CompileSettings;
  clock: Clock;
  log: Log;
  journal: JournalAuditor;
  db: Database;
  events: TypedEvents;
}

/** Keeps the agent told of what ought to run, and itself told of what does. */
export interface AgentLink extends LongRunning {
  /** Sends the present arrangement now. Throws AGENT_UNREACHABLE. */
  sync(): Promise<ObservedState>;
  /** What the agent saw when it was last heard; null until then or when it has not answered for a while. */
  observed(): ObservedState | null;
  /** The hosts of every route that the data plane was told of, each once, in lower case. */
  hosts(): readonly string[];
  /** Where instances that run now tell figures of their own. */
  measured(): ReturnType<typeof measuredTargets>;
  /** Whether the agent's view includes everything that was asked for. */
  isCurrent(): boolean;
  onNews(listener: () => void): () => void;
}

export function createAgentLink(dependencies: AgentLinkDependencies): AgentLink {
  const { agent, services, builds, settings, clock, log, journal } = dependencies;
  const tell = createTeller(dependencies);
  const stopping = new AbortController();
  const listeners = new Set<() => void>();
  const wake = createWake(clock);
  let sent: { text: string; generation: number } = { text: "", generation: -1 };
  let hosts: readonly string[] = [];
  let measured: readonly MeasuredInstance[] = [];
  let latest: { state: ObservedState; heardAtMs: number } | null = null;
  let queue: Promise<unknown> = Promise.resolve();
  let beating: Promise<void> = Promise.resolve();
  let listening: Promise<void> = Promise.resolve();
  let isSilent = false;
  let journalSeq: number | null = null;

  /** One at a time, so that an older arrangement never overtakes a newer one. */
  function sync(): Promise<ObservedState> {
    const turn = queue.then(send, send);
    queue = turn.catch(() => undefined);
    return turn;
  }

  async function send(): Promise<ObservedState> {
    const arrangement = await services.arrangement();
    const running = await builds.running();
    const placed = running.map((each) => ({ ...each, place: builds.placeOf(each.id) }));
    const desired = compile({ ...arrangement, builds: placed }, settings);
    hosts = hostsOf(desired);
    measured = measuredInstances(arrangement, desired);
    const text = JSON.stringify(desired);
    if (text !== sent.text) sent = { text, generation: await services.nextGeneration(generationFloor()) };
    const state = await put({ ...desired, generation: sent.generation });
    hear(state);
    return state;
  }

  async function put(desired: DesiredState): Promise<ObservedState> {
    const state = await agent.putDesired(desired);
    if (state.generation <= desired.generation) return state;
    // The agent remembers a later generation than the database does (it was restored, say): go past it.
    sent = { ...sent, generation: await services.nextGeneration(state.generation + 1) };
    return agent.putDesired({ ...desired, generation: sent.generation });
  }

  function generationFloor(): number {
    return Math.max(sent.generation, latest?.state.generation ?? 0) + 1;
  }

  function hear(state: ObservedState): void {
    tell.heard(latest?.state ?? null, state);
    if (isSilent) log.info({ bootId: state.bootId }, "the agent is up to date again");
    isSilent = false;
    latest = { state, heardAtMs: clock.monotonicMs() };
    for (const listener of listeners) listener();
  }

  async function beat(): Promise<void> {
    while (!stopping.signal.aborted) {
      await sync()
        .then(readJournal)
        .catch((error: unknown) => {
          if (stopping.signal.aborted) return;
          if (!isSilent) log.warn({ error }, "the agent could not be brought up to date; trying again");
          isSilent = true;
          tell.lost(error);
        });
      await wake.sleep(isSilent || !latest ? RECONNECT_MS : BEAT_MS, stopping.signal);
    }
  }

  async function readJournal(): Promise<void> {
    journalSeq ??= await journal.position();
    const entries = await agent.journal(journalSeq);
    await journal.record(entries);
    journalSeq = entries.at(-1)?.seq ?? journalSeq;
  }

  async function follow(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        for await (const event of agent.events(stopping.signal)) {
          log.debug({ type: event.type, subject: event.subject }, "the agent reports");
          hear(await agent.observed());
        }
      } catch (error) {
        if (!stopping.signal.aborted) log.debug({ error }, "the agent's events broke off");
      }
      await clock.sleep(RECONNECT_MS, stopping.signal).catch(() => undefined);
    }
  }

  /** Null when the agent has not been heard for a while. */
  function observed(): ObservedState | null {
    return latest && clock.monotonicMs() - latest.heardAtMs < 5 * BEAT_MS ? latest.state : null;
  }

  return {
    name: "agent-link",
    sync,
    observed,
    hosts: () => hosts,
    measured: () => measuredTargets(measured, observed()),
    isCurrent: () => latest !== null && latest.state.generation >= sent.generation,
    onNews(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async start() {
      beating = beat();
      listening = follow();
    },
    async stop() {
      stopping.abort();
      wake.ring();
      await Promise.all([beating, listening, queue, tell.done()]);
    },
  };
}

function hostsOf({ services, api }: DesiredState): string[] {
  const routed = services.flatMap((each) => each.routes.flatMap(({ host }) => host ?? []));
  return [...new Set([...routed, ...(api ? [api.host] : [])].map((each) => each.toLowerCase()))];
}
