import pg from "pg";
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";

export interface Listener {
  /** See DatabaseHandle.listen. */
  listen(channel: string, onNotify: (payload: string) => void): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

type OnNotify = (payload: string) => void;

const FIRST_DELAY_MS = 50;
const LAST_DELAY_MS = 5_000;
/** A connection whose other end vanished without a word is noticed after at most these two. */
const HEARTBEAT_MS = 15_000;
const HEARTBEAT_TIMEOUT_MS = 5_000;

/** LISTEN on one connection of its own, made at first use, made again whenever it is lost. */
export function createListener({
  connection,
  log,
  clock,
}: {
  connection: pg.ClientConfig;
  log: Log;
  clock: Clock;
}): Listener {
  const channels = new Map<string, Set<OnNotify>>();
  const closing = new AbortController();
  let client: pg.Client | null = null;
  let connecting: Promise<pg.Client> | null = null;

  async function listen(channel: string, onNotify: OnNotify): Promise<() => Promise<void>> {
    if (!/^[a-z_][a-z0-9_]{0,62}$/.test(channel)) throw new Error(`not a channel name: ${channel}`);
    const listeners = channels.get(channel) ?? new Set();
    channels.set(channel, listeners.add(onNotify));
    const open = await connected();
    if (listeners.size === 1) await open.query(`listen ${channel}`);
    return async () => {
      listeners.delete(onNotify);
      if (listeners.size > 0 || channels.get(channel) !== listeners) return;
      channels.delete(channel);
      await client?.query(`unlisten ${channel}`).catch(() => {});
    };
  }

  function connected(): Promise<pg.Client> {
    if (client) return Promise.resolve(client);
    connecting ??= connect().finally(() => (connecting = null));
    return connecting;
  }

  async function connect(): Promise<pg.Client> {
    const fresh = new pg.Client({ ...connection, keepAlive: true, application_name: "mainstay listener" });
    fresh.on("error", (error) => log.debug({ error }, "listening connection failed"));
    fresh.on("notification", ({ channel, payload }) => notify(channel, payload ?? ""));
    await fresh.connect();
    for (const channel of channels.keys()) await fresh.query(`listen ${channel}`);
    const stopHeartbeat = clock.every(HEARTBEAT_MS, () => beat(fresh));
    fresh.once("end", () => {
      stopHeartbeat();
      if (client !== fresh) return;
      client = null;
      if (!closing.signal.aborted) void reconnect();
    });
    client = fresh;
    return fresh;
  }

  /** What was said meanwhile is lost, hence everybody is told to look. */
  async function reconnect(): Promise<void> {
    log.warn({}, "listening connection lost");
    for (let delayMs = FIRST_DELAY_MS; ; delayMs = Math.min(delayMs * 2, LAST_DELAY_MS)) {
      const isBack = await connected().then(
        () => true,
        () => false,
      );
      if (isBack) break;
      const slept = await clock.sleep(delayMs, closing.signal).then(
        () => true,
        () => false,
      );
      if (!slept) return;
    }
    log.info({}, "listening connection restored");
    for (const channel of channels.keys()) notify(channel, "");
  }

  function notify(channel: string, payload: string): void {
    for (const onNotify of channels.get(channel) ?? []) onNotify(payload);
  }

  async function beat(open: pg.Client): Promise<void> {
    const silence = new AbortController();
    const isAlive = await Promise.race([
      open.query("select 1").then(
        () => true,
        () => false,
      ),
      clock.sleep(HEARTBEAT_TIMEOUT_MS, silence.signal).then(
        () => false,
        () => true,
      ),
    ]);
    silence.abort();
    if (!isAlive) open.connection.stream.destroy();
  }

  return {
    listen,
    async close() {
      closing.abort();
      await connecting?.catch(() => {});
      channels.clear();
      await client?.end();
    },
  };
}
