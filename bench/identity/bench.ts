import { execFile } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import pg from "pg";
import { createSystemClock } from "../../server/src/kernel/clock.ts";
import { startEmbeddedPostgres } from "../../server/src/kernel/database/embedded/start.ts";
import { NotApplicable, type Attack } from "../../tests/support/identity-attacks/attack.ts";
import { ATTACKS } from "../../tests/support/identity-attacks/attacks.ts";
import { silentLog } from "../../tests/support/log.ts";
import { createTemporaryDirectory } from "../../tests/support/temporary.ts";
import type { BenchReport } from "../bench.ts";
import { installBetterAuth, VERSION, type Peer } from "./better-auth.ts";
import { createBetterAuthTarget } from "./better-auth-target.ts";
import { createShiftedDate } from "./shifted-date.ts";

const ORIGIN = "http://localhost:7700";
const TESTS = "tests/support/identity-attacks";
const TEMPLATE = "peer_template";
/** Nothing here outlives the run, so nothing has to reach a disk. */
const SETTINGS = { fsync: "off", synchronous_commit: "off", full_page_writes: "off" };
const COLUMNS = ["family", "cases", "Mainstay withstood", "applicable", "better-auth withstood"];

/** On a busy machine too: what takes longer hangs. */
const OWN_TESTS_MS = 20 * 60_000;
const ATTACK_MS = 30_000;
const SHOWN_EVERY = 20;

type Verdict = "withstood" | "fell" | "not applicable" | "broke off";

/** The list of attacks on identity, tried on Mainstay (its own tests) and on better-auth. */
export async function run(): Promise<BenchReport> {
  const home = createTemporaryDirectory();
  try {
    const own = await runOwnTests(path.join(home.path, "tests.json"));
    const peer = await installBetterAuth(path.join(home.path, "peer"), ORIGIN).catch(
      (error: unknown) => error,
    );
    if (isPeer(peer)) return report(own, await tryAll(peer, home.path));
    const why = `better-auth could not be installed: ${String(peer).split("\n")[0]}`;
    return report(own, new Map(), [why]);
  } finally {
    home.remove();
  }
}

const isPeer = (value: unknown): value is Peer =>
  typeof value === "object" && value !== null && "open" in value;

/** The sentences whose tests passed. */
async function runOwnTests(file: string): Promise<ReadonlySet<string>> {
  const vitest = path.join("node_modules", "vitest", "vitest.mjs");
  const args = [vitest, "run", TESTS, "--project", "integration", "--reporter=json", `--outputFile=${file}`];
  tell("Mainstay's own tests");
  // A test that fails is part of the result.
  await promisify(execFile)(process.execPath, args, { timeout: OWN_TESTS_MS }).catch(() => undefined);
  const { testResults }: TestReport = JSON.parse(await readFile(file, "utf8"));
  const tests = testResults.flatMap(({ assertionResults }) => assertionResults);
  return new Set(tests.filter(({ status }) => status === "passed").map(({ title }) => title));
}

interface TestReport {
  testResults: { assertionResults: { title: string; status: string }[] }[];
}

/** Each attack on a database of its own, with the peer's tables and nobody in them. */
async function tryAll(peer: Peer, home: string): Promise<Map<string, Verdict>> {
  const postgres = await startEmbeddedPostgres({
    ...{ dataDirectory: path.join(home, "data"), runtimeDirectory: path.join(home, "run") },
    ...{ log: silentLog, clock: createSystemClock(), settings: SETTINGS },
  });
  const { host, user } = postgres.connection;
  const administrator = new pg.Client({ host, user, database: "postgres" });
  await administrator.connect();
  try {
    await administrator.query(`create database ${TEMPLATE}`);
    const template = new pg.Pool({ host, user, database: TEMPLATE });
    await peer.migrate(template);
    await template.end();
    const verdicts = new Map<string, Verdict>();
    for (const [index, attack] of ATTACKS.entries()) {
      const database = `peer_${index}`;
      await administrator.query(`create database ${database} template ${TEMPLATE} strategy file_copy`);
      verdicts.set(attack.id, await tryOne(peer, attack, createPeerPool({ host, user, database })));
      if (index % SHOWN_EVERY === 0) tell(`better-auth: ${index} of ${ATTACKS.length} attacks tried`);
    }
    return verdicts;
  } finally {
    await administrator.end();
    await postgres.stop();
  }
}

async function tryOne(peer: Peer, { isWithstood, settings }: Attack, pool: pg.Pool): Promise<Verdict> {
  const isOfMainstay = Object.keys(settings).length > 0;
  if (isOfMainstay) {
    await pool.end();
    return "not applicable";
  }
  const date = createShiftedDate();
  const { advance } = date;
  const auth = peer.open(pool);
  const target = createBetterAuthTarget({ auth, pool, origin: ORIGIN, advance, close: () => pool.end() });
  try {
    const isHeld = await Promise.race([isWithstood(target), hangs()]);
    return isHeld ? "withstood" : "fell";
  } catch (error) {
    return error instanceof NotApplicable ? "not applicable" : "broke off";
  } finally {
    date.restore();
    // It waits for statements that an attack which hangs may never end.
    await Promise.race([target.close(), hangs()]).catch(() => undefined);
  }
}

/** Fails once an attack has had its time. */
async function hangs(): Promise<never> {
  await once(AbortSignal.timeout(ATTACK_MS), "abort");
  throw new Error(`no answer within ${ATTACK_MS} ms`);
}

/** Connections that end with PostgreSQL, or with an attack that broke off, are no error of the benchmark. */
function createPeerPool(connection: pg.PoolConfig): pg.Pool {
  const pool = new pg.Pool(connection);
  pool.on("error", () => {});
  return pool;
}

/** How far it is, as it takes some minutes. */
function tell(what: string): void {
  process.stderr.write(`${what}\n`);
}

function report(
  own: ReadonlySet<string>,
  theirs: ReadonlyMap<string, Verdict>,
  notes: string[] = [],
): BenchReport {
  const count = (attacks: readonly Attack[], verdict: Verdict) =>
    attacks.filter(({ id }) => theirs.get(id) === verdict).length;
  const rowOf = (name: string, attacks: readonly Attack[]) => {
    const withstood = count(attacks, "withstood");
    const mine = attacks.filter(({ tries }) => own.has(tries)).length;
    return [name, attacks.length, mine, withstood + count(attacks, "fell"), withstood];
  };
  const families = [...Map.groupBy(ATTACKS, ({ family }) => family)];
  const fell = ATTACKS.filter(({ id }) => theirs.get(id) === "fell");
  const brokeOff = ATTACKS.filter(({ id }) => theirs.get(id) === "broke off");
  return {
    tables: [
      {
        title: `Attacks on identity: Mainstay and better-auth ${VERSION}`,
        columns: COLUMNS,
        rows: [...families.map(([name, attacks]) => rowOf(name, attacks)), rowOf("all", ATTACKS)],
        notes: [
          ...notes,
          "better-auth with its two-factor, jwt, api-key and passkey plugins, all at their defaults, and its rate limit on.",
          "Not applicable: what it does not have or leaves to the application, such as roles, audit and step-up.",
          ...brokeOff.map(({ id }) => `Could not be tried on better-auth: ${id}.`),
        ],
      },
      {
        title: "What better-auth did not withstand",
        columns: ["attack", "what was tried"],
        rows: fell.map(({ id, tries }) => [id, tries]),
        notes: [],
      },
    ],
  };
}
