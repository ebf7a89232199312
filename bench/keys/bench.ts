import { hash, randomBytes } from "node:crypto";
import { createAccessBook } from "../../server/src/core/identity/access-book.ts";
import type { KeyRow } from "../../server/src/core/identity/access-store.ts";
import { bearerOf } from "../../server/src/core/identity/bearer.ts";
import { hashApiKey, makeApiKey, type ApiKey } from "../../server/src/core/identity/domain/api-key.ts";
import { createKeyCheck } from "../../server/src/core/identity/key-check.ts";
import { createSystemClock } from "../../server/src/kernel/clock.ts";
import { silentLog } from "../../tests/support/log.ts";
import type { BenchReport } from "../bench.ts";

const KEYS = 1_000;
const ROUNDS = 5;
const CHECKS = 40_000;
/** A refusal makes an error with its text and its stack. */
const REFUSALS = 2_000;
const MICROSECONDS = 1_000_000;
const SYSTEM = { type: "system", id: "mainstay", name: "Mainstay" };

/** What it costs to know an API key, from the header of a request to who may do what. */
export async function run(): Promise<BenchReport> {
  const keys = Array.from({ length: KEYS }, () => makeApiKey(randomBytes));
  const book = createAccessBook({
    store: { load: async () => ({ ...NOTHING, keys: keys.map(toRow), grants: keys.map(toGrant) }) },
    listen: async () => async () => {},
    log: silentLog,
  });
  const page = await book.page();
  const clock = createSystemClock();
  let lastMs = 0;
  const check = createKeyCheck({ clock, noteUse: (_, nowMs) => void (lastMs = nowMs) });

  const hashes = new Map(keys.map((key) => [hash("sha256", key.text, "base64url"), key]));
  const yardstick = rateOf(CHECKS, () => {
    for (let count = 0; count < CHECKS; count += 1) {
      const { text } = keys[count % KEYS] ?? { text: "" };
      if (!hashes.has(hash("sha256", text, "base64url"))) throw new Error("a key is missing");
    }
  });
  const questions: [string, (key: ApiKey) => string][] = [
    ["a known key", ({ text }) => text],
    ["a known key, and whether it may deploy", ({ text }) => text],
    ["an unknown key", () => makeApiKey(randomBytes).text],
    ["a known id with a wrong secret", ({ id }) => makeApiKey(randomBytes, id).text],
  ];
  const rows = questions.map(([name, textOf], index) => {
    const headers = keys.map((key) => ({ authorization: `Bearer ${textOf(key)}` }));
    const total = index < 2 ? CHECKS : REFUSALS;
    const rates = Array.from({ length: ROUNDS }, () =>
      rateOf(total, () => {
        for (let count = 0; count < total; count += 1) {
          try {
            const known = check(page, bearerOf(headers[count % KEYS] ?? {}) ?? "", "192.0.2.7");
            if (index === 1 && !known.can("changes.write", { environment: "staging", service: "shop" }))
              return;
          } catch {
            // A refusal is the answer that is measured.
          }
        }
      }),
    );
    const [median = 0] = rates.toSorted((a, b) => a - b).slice(ROUNDS >> 1);
    return [name, ...inWords(median)];
  });
  if (lastMs === 0) throw new Error("no use was noted");
  return {
    tables: [
      {
        title: `API keys: checks per CPU-second, of ${KEYS} keys`,
        columns: ["what is shown", "per CPU-second", "each"],
        rows: [...rows, ["yardstick: SHA-256 and a look-up, nothing else", ...inWords(yardstick)]],
        notes: [
          `Median of ${ROUNDS} rounds of ${CHECKS.toLocaleString("en")} checks, ${REFUSALS.toLocaleString("en")} of those that are refused; processor time of the process (user and system), not wall time.`,
          "From the header on: SHA-256, look-up, end, allowed addresses (each key is used from one address), note of the use.",
          "Refusals cost more, as an error with its text is made of them; unknown keys and wrong secrets cost the same.",
        ],
      },
    ],
  };
}

/** Checks per second of processor time. */
function rateOf(total: number, work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (total * MICROSECONDS) / (user + system);
}

function inWords(rate: number): string[] {
  return [Math.round(rate).toLocaleString("en"), `${(MICROSECONDS / rate).toFixed(2)} µs`];
}

const NOTHING = { roles: [], teams: [], members: [], suspended: [] };

function toRow(key: ApiKey): KeyRow {
  return {
    ...{ id: key.id, name: key.id, hash: hashApiKey(key), owner: null, created_at: new Date(0) },
    ...{ created_by: SYSTEM, expires_at: new Date(8e15), allowed_addresses: ["192.0.2.0/24"] },
    ...{ step_up_exempt: false, revoked_at: null, previous_hash: null, previous_until: null },
    ...{ last_used_at: null, last_used_from: null },
  };
}

function toGrant(key: ApiKey) {
  return {
    ...{ id: `grt_${key.id}`, subject_type: "key" as const, subject_id: key.id, role: "deployer" },
    ...{
      permissions: null,
      environment: "staging",
      service: null,
      created_at: new Date(0),
      created_by: SYSTEM,
    },
  };
}
