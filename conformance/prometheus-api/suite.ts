import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CaseResult, Suite } from "../suite.ts";
import { askOne, type Target } from "./answer.ts";
import { BOUNDARIES, type Boundary } from "./boundaries.ts";
import { difference, kindOf } from "./difference.ts";
import { REQUESTS, type Asked } from "./requests.ts";
import { writeRequest } from "./samples.ts";
import { startBoth } from "./start-both.ts";

const INTERVAL_MS = 10_000;
/** No moment that is asked for falls on a sample: there Prometheus 2 and 3 differ. */
const AFTER_MS = 457;

/** Both get the same samples, scrape the same target, have the same rules, and are asked the same. */
export const suite: Suite = {
  about: "The HTTP API: a running Mainstay against Debian's Prometheus",
  debianPackages: ["prometheus"],
  async run() {
    const folder = await mkdtemp(join(tmpdir(), "prometheus-api-"));
    const stops = [() => rm(folder, { recursive: true, force: true })];
    try {
      const { reference, own } = await startBoth(folder, stops);
      const lastMs = (Math.floor(Date.now() / INTERVAL_MS) - 1) * INTERVAL_MS;
      const body = new Uint8Array(writeRequest(lastMs));
      for (const target of [reference, own]) await write(target, body);
      const results: CaseResult[] = [];
      for (const asked of REQUESTS) {
        const name = nameOf(asked);
        const failure = await compare(asked, { reference, own, nowMs: lastMs + AFTER_MS });
        results.push({ name, failure });
      }
      return [...results, ...unasked(new Set(results.map(({ name }) => name)))];
    } finally {
      for (const stop of stops.toReversed()) await stop();
    }
  },
};

async function write({ url, headers }: Target, body: Uint8Array<ArrayBuffer>): Promise<void> {
  const own = { "content-type": "application/x-protobuf", "content-encoding": "snappy" };
  const answer = await fetch(`${url}/api/v1/write`, {
    method: "POST",
    headers: { ...headers, ...own },
    body,
  });
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}: ${await answer.text()}`);
}

function nameOf({ method, at, parameters, headers }: Asked): string {
  const words = parameters.map(([name, value]) => `${name}=${value}`);
  const told = Object.keys(headers).length > 0 ? [JSON.stringify(headers)] : [];
  return [method, at, ...words, ...told].join(" ");
}

const BOUNDARY_OF: ReadonlyMap<string, Boundary> = new Map(
  BOUNDARIES.flatMap((each) => each.requests.map((name) => [name, each] as const)),
);

async function compare(
  asked: Asked,
  { reference, own, nowMs }: { reference: Target; own: Target; nowMs: number },
): Promise<string | null> {
  const [expected, actual] = await Promise.all([askOne(reference, asked, nowMs), askOne(own, asked, nowMs)]);
  const found = difference(expected, actual, asked.by);
  const boundary = BOUNDARY_OF.get(nameOf(asked));
  if (boundary === undefined) return found;
  if (found === null) return `agrees, so that this is none: ${boundary.reason}`;
  const kind = kindOf(actual);
  return kind === boundary.own ? null : `${kind} instead of ${boundary.own}, although: ${boundary.reason}`;
}

/** A boundary that no request is at any more. */
function unasked(names: ReadonlySet<string>): CaseResult[] {
  const lost = [...BOUNDARY_OF.keys()].filter((name) => !names.has(name));
  return lost.map((name) => ({ name, failure: "is named as a boundary, and not asked" }));
}
