import pg from "pg";
import type { Clock } from "../clock.ts";
import { withDeadline } from "../deadline.ts";
import type { Log } from "../log.ts";

export interface Listener {
  /** See DatabaseHandle.listen. */
  listen(channel: string, onNotify: (payload: string) => void): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

interface ListenerDependencies {
  connection: pg.ClientConfig;
  log: Log;
  clock: Clock;
}

type OnNotify = (payload: string) => void;

const CHANNEL = /^[a-z_][a-z0-9_]{0,62}$/;
const FIRST_DELAY_MS = 50;
const LAST_DELAY_MS = 5_000;
/** A connection whose other end vanished without a word is noticed after these two. */
const HEARTBEAT_MS = 15_000;
const HEARTBEAT_TIMEOUT_MS = 5_000;

/** LISTEN on one connection of its own, made at first use, made again whenever it is lost. */
export function createListener({ connection, log, clock }: ListenerDependencies): Listener {
  const channels = new Map<string, Set<OnNotify>>();
  const closing = new AbortController();
  let session: Session | null = null;
  let connecting: Promise<Session> | null = null;

  async function listen(channel: string, onNotify: OnNotify): Promise<() => Promise<void>> {
    if (!CHANNEL.test(channel)) throw new Error(`not a channel name: ${channel}`);
    channels.set(channel, (channels.get(channel) ?? new Set()).add(onNotify));
    try {
      await (await connected()).query(`listen ${channel}`);
    } catch (error) {
      await end(channel, onNotify);
      throw error;
    }
    return () => end(channel, onNotify);
  }

  async function end(channel: string, onNotify: OnNotify): Promise<void> {
    const listeners = channels.get(channel);
    listeners?.delete(onNotify);
    if (listeners?.size !== 0) return;
    channels.delete(channel);
    // On a lost connection there is nothing to end.
    await session?.query(`unlisten ${channel}`).catch(() => {});
  }

  function connected(): Promise<Session> {
    if (session) return Promise.resolve(session);
    connecting ??= connect().finally(() => (connecting = null));
    return connecting;
  }

  async function connect(): Promise<Session> {
    const fresh = await openSession(connection, notify);
    for (const channel of channels.keys()) await fresh.query(`listen ${channel}`);
    session = fresh;
    void keep(fresh);
    return fresh;
  }

  /** Sees to it that a session that ends, or only seems to live, is followed by another one. */
  async function keep(kept: Session): Promise<void> {
    const stopHeartbeat = clock.every(HEARTBEAT_MS, async () => {
      const isAlive = await withDeadline({ clock, ms: HEARTBEAT_TIMEOUT_MS }, kept.query("select 1")).catch(
        () => null,
      );
      if (isAlive === null) kept.cut();
    });
    await kept.ended;
    stopHeartbeat();
    session = null;
    if (!closing.signal.aborted) await reconnect();
  }

  async function reconnect(): Promise<void> {
    log.warn({}, "listening connection lost");
    for (
      let delayMs = FIRST_DELAY_MS;
      !closing.signal.aborted;
      delayMs = Math.min(delayMs * 2, LAST_DELAY_MS)
    ) {
      try {
        await connected();
        break;
      } catch (error) {
        log.debug({ error, delayMs }, "listening connection cannot be restored yet");
        await clock.sleep(delayMs, closing.signal).catch(() => {});
      }
    }
    if (closing.signal.aborted) return;
    log.info({}, "listening connection restored");
    // What was said meanwhile is lost, hence everybody is told to look.
    for (const channel of channels.keys()) notify(channel, "");
  }

  function notify(channel: string, payload: string): void {
    for (const onNotify of channels.get(channel) ?? []) onNotify(payload);
  }

  return {
    listen,
    async close() {
      closing.abort();
      await connecting?.catch(() => {});
      channels.clear();
      await session?.close();
    },
  };
}

interface Session {
  /** One statement after the other, in the order of the calls. */
  query(text: string): Promise<unknown>;
  ended: Promise<void>;
  /** Ends the connection without asking the other side. */
  cut(): void;
  close(): Promise<void>;
}

async function openSession(connection: pg.ClientConfig, notify: (channel: string, payload: string) => void) {
  const client = new pg.Client({ ...connection, keepAlive: true, application_name: "mainstay listener" });
  const ended = new Promise<void>((resolve) => client.once("end", () => resolve()));
  // A failing connection ends, and that is what counts.
  client.on("error", () => {});
  client.on("notification", ({ channel, payload }) => notify(channel, payload ?? ""));
  await client.connect();
  let last: Promise<unknown> = Promise.resolve();
  const session: Session = {
    query: (text) => (last = last.catch(() => {}).then(() => client.query(text))),
    ended,
    cut: () => client.connection.stream.destroy(),
    close: () => client.end(),
  };
  return session;
}
