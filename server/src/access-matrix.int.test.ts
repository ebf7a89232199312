import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { platformFile } from "@mainstay/api";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectedOf, maySee, type Outcome } from "../../tests/support/access-matrix/expectation.ts";
import { MATRIX, type Entry } from "../../tests/support/access-matrix/routes.ts";
import {
  makeCallers,
  makeThings,
  restore,
  type Ask,
  type Caller,
  type Things,
} from "../../tests/support/access-matrix/things.ts";
import { z } from "zod";
import { openTestDatabase } from "../../tests/support/database.ts";
import { setUp } from "../../tests/support/set-up.ts";
import { silentLog } from "../../tests/support/log.ts";
import { createTestKeys } from "../../tests/support/vault.ts";
import { compose } from "./compose.ts";
import { createSystemClock } from "./kernel/clock.ts";

/** Every route, asked by everybody, about what is theirs and what is not: over HTTP and PostgreSQL. */

const record = z.record(z.string(), z.unknown());
const placeName = z.string().nullable().optional();
const listed = z.object({ items: z.array(z.object({ environment: placeName, service: placeName })) });

const OWN = { environment: "staging", service: "shop" };
const FOREIGN = { environment: "production", service: "billing" };

let folder = "";
let database: Awaited<ReturnType<typeof openTestDatabase>>;
let house: ReturnType<typeof compose>;
let callers: Caller[] = [];
const targets: Things[] = [];
let count = 0;
/** Each outcome that was not as it must be. */
const wrong: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "mainstay-matrix-"));
  database = await openTestDatabase();
  const file = platformFile.parse({ server: { port: 0 } });
  const config = { ...file, dataDirectory: folder };
  const clock = createSystemClock();
  const keys = await createTestKeys(database.db);
  house = compose({ config, database, runtimeDirectory: folder, keys, env: {}, clock, log: silentLog });
  await house.identity.accounts.ensureSetupLink();
  await house.http.start();
  const admin = `Bearer ${await setUp({ url: house.http.address(), dataDirectory: folder })}`;
  const ask: Ask = async (method, url, body) => {
    const answer = await send({ method, url: `/api/v1${url}`, authorization: admin, body });
    if (!answer.ok) throw new Error(`${method} ${url}: ${await answer.text()}`);
    return record.parse(await answer.json());
  };
  callers = await makeCallers(ask, database);
  for (const target of [OWN, FOREIGN]) targets.push(await makeThings({ ask, database, folder }, target));
  await restore("role", { database, things: targets[0]! });
  await restore("team", { database, things: targets[0]! });
  await house.identity.access.refresh();
}, 120_000);

afterAll(async () => {
  await house.http.stop();
  await database.close();
  await rm(folder, { recursive: true, force: true });
  process.stdout.write(`\nAccess matrix: ${count} cases of ${Object.keys(MATRIX).length} routes and `);
  process.stdout.write(`${callers.length} callers, ${wrong.length} wrong\n`);
});

interface Sent {
  method: string;
  url: string;
  authorization: string | null;
  body?: unknown;
  bytes?: Entry["bytes"];
}

function send({ method, url, authorization, body, bytes }: Sent): Promise<Response> {
  const content = bytes ? bytes.content : body === undefined ? undefined : JSON.stringify(body);
  const type = bytes?.type ?? "application/json";
  return fetch(house.http.address() + url, {
    method,
    headers: {
      ...(authorization === null ? {} : { authorization }),
      ...(content === undefined ? {} : { "content-type": type }),
      ...bytes?.headers,
    },
    ...(content === undefined ? {} : { body: content }),
  });
}

/** The address of a route about the things of a place. */
function urlOf(url: string, { path: parameters, query }: Entry, things: Things): string {
  const values = { ...parameters?.(things) };
  const filled = url.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(values[name] ?? ""));
  const known: Record<string, string> = { ...things };
  return query ? `${filled}?${query.replace(/:(\w+)/g, (_, name: string) => known[name] ?? "")}` : filled;
}

async function outcomeOf(answer: Response, things: Things): Promise<Outcome> {
  if (answer.status === 401) return "unknown";
  if (answer.status !== 403 && answer.status !== 404) return "let in";
  const text = await answer.text();
  // Rules of what is asked may refuse it too: to whoever is permitted to ask. A HEAD is not told why.
  if (answer.status === 403) return text === "" || text.includes("PERMISSION_DENIED") ? "refused" : "let in";
  const isHidden = Object.values(things).some((id) => text.includes(`${id} does not exist`));
  return isHidden || text === "" ? "hidden" : "let in";
}

/** What is wrong with a list: items that one may not see, or the lack of those that one may. */
async function lookAtList(
  answer: Response,
  { route, caller, things }: Entry & { caller: Caller; things: Things },
): Promise<string[]> {
  if (route.about !== "list") return [];
  const { items } = listed.parse(await answer.json());
  const places = items.map(({ environment = null, service = null }) => ({ environment, service }));
  const seen = places.filter((place) => !maySee(caller, route.permission, place));
  const { environment, service } = things;
  const isThere = places.some((place) => place.environment === environment && place.service === service);
  const isMissing = !isThere && !route.isEmpty && maySee(caller, route.permission, { environment, service });
  const faults = seen.map((place) => `shows ${place.service} in ${place.environment}`);
  return isMissing ? [...faults, "shows nothing of it"] : faults;
}

async function runCase(
  name: string,
  { entry, caller, things }: { entry: Entry; caller: Caller; things: Things },
): Promise<void> {
  const [method = "", url = ""] = name.split(" ");
  if (entry.restore) {
    await restore(entry.restore, { database, things });
    await house.identity.access.refresh();
  }
  const { authorization } = caller;
  const body = entry.body?.(things);
  const { bytes } = entry;
  const answer = await send({
    ...{ method, url: urlOf(url, entry, things), authorization, body },
    ...(bytes ? { bytes } : {}),
  });
  count += 1;
  const expected = expectedOf(caller, entry.route, things);
  const judged = expected === "let in" && entry.route.about === "list" && answer.ok;
  const faults = judged ? await lookAtList(answer, { ...entry, caller, things }) : [];
  const outcome = judged ? "let in" : await outcomeOf(answer, things);
  if (outcome !== expected) faults.push(`${outcome} (${answer.status}) instead of ${expected}`);
  if (!answer.bodyUsed) await answer.body?.cancel();
  wrong.push(...faults.map((fault) => `${caller.name}, ${name}, ${things.service}: ${fault}`));
}

/** Whether it makes a difference whose things it is asked about. */
function isAboutThings({ route }: Entry): boolean {
  return !["public", "platform", "anything"].includes(route.about);
}

describe("every route", () => {
  it("stands in the matrix, with the permission and the scope that the code declares", () => {
    const declared = house.http.routes().map((route) => {
      const kind = typeof route.scope === "function" ? "function" : (route.scope ?? "platform");
      return `${route.method} ${route.url} ${route.permission} ${kind}`;
    });
    const LATE = ["POST /api/v1/releases", "POST /api/v1/builds"];
    const stated = Object.entries(MATRIX).map(([name, { route }]) => {
      if (route.about === "public") return `${name} public platform`;
      const isLookedAt = ["named", "found"].includes(route.about) && !LATE.includes(name);
      const kind = isLookedAt ? "function" : route.about === "platform" ? "platform" : "somewhere";
      return `${name} ${route.permission} ${kind}`;
    });
    expect(declared.toSorted()).toEqual(stated.toSorted());
  });

  it.each(Object.keys(MATRIX))("%s lets in, refuses and hides as the table of roles says", async (name) => {
    const entry = MATRIX[name];
    if (!entry) throw new Error(`${name} is missing`);
    const before = wrong.length;
    for (const things of isAboutThings(entry) ? targets : targets.slice(0, 1)) {
      const cases = callers.map((caller) => () => runCase(name, { entry, caller, things }));
      if (name.startsWith("GET")) await Promise.all(cases.map((run) => run()));
      else for (const run of cases) await run();
    }
    expect(wrong.slice(before)).toEqual([]);
  });
});
