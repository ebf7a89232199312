/** What the platform's configuration says. */
export type EngineSetting = "auto" | "node" | "haproxy";

export interface EngineFacts {
  /** What `haproxy -vv` prints; null where there is none. */
  haproxy: string | null;
  /** Whether the data plane speaks HTTPS too. */
  hasTls: boolean;
  /** Whether `setpriv` is there: it lets HAProxy end in good order when its keeper is killed. */
  hasSetpriv: boolean;
}

export interface EngineChoice {
  engine: "node" | "haproxy";
  /** Why it is not HAProxy where that was wanted; null: nothing speaks against it. */
  reason: string | null;
}

/** HTTPS stays with the Node worker either way, and HAProxy does not send plain requests there. */
const WITH_TLS = "HTTPS is on (proxy.tls.port), and only Node redirects plain requests to it";
/** Servers are added and deleted at run time, and health checks with them, from here on. */
const OLDEST = [2, 6] as const;

/**
 * Who serves the data plane. What HAProxy does not do itself
 * the Node worker behind it does, so any table will do.
 */
export function chooseEngine(setting: EngineSetting, look: () => EngineFacts): EngineChoice {
  if (setting === "node") return { engine: "node", reason: null };
  const facts = look();
  const reason = setting === "auto" && facts.hasTls ? WITH_TLS : findObstacle(facts);
  return { engine: reason === null ? "haproxy" : "node", reason };
}

function findObstacle({ haproxy, hasSetpriv }: EngineFacts): string | null {
  if (haproxy === null) return "HAProxy is not installed";
  const [, major = "0", minor = "0"] = /version (\d+)\.(\d+)/.exec(haproxy) ?? [];
  const [oldestMajor, oldestMinor] = OLDEST;
  const isOld = Number(major) < oldestMajor || (Number(major) === oldestMajor && Number(minor) < oldestMinor);
  if (isOld) return `HAProxy ${major}.${minor} is older than ${OLDEST.join(".")}`;
  if (!/\+OPENSSL\b/.test(haproxy)) return "this HAProxy is built without OpenSSL, which checks the cookies";
  return hasSetpriv ? null : "setpriv (of util-linux) is not installed";
}
