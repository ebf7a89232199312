import { startLoad } from "../../agent/src/testing/load.ts";
import { startTestWorker, startUpstream, type TestEngine } from "../../agent/src/testing/worker.ts";
import type { BenchTable } from "../bench.ts";

const SWAPS = 20;
const USERS = 20;
/** Between two swaps. */
const REQUESTS = 200;

interface Method {
  name: string;
  engine: TestEngine;
  /** A new time-out is something only another process of HAProxy can take up. */
  isReload: boolean;
}

const METHODS: Method[] = [
  { name: "Node, table pushed", engine: "node", isReload: false },
  { name: "HAProxy, runtime socket", engine: "haproxy", isReload: false },
  { name: "HAProxy, another process", engine: "haproxy", isReload: true },
];

/** Requests that fail around swaps of the one instance behind a service. Nothing is sent twice. */
export async function measureSwaps(): Promise<BenchTable> {
  const rows = [];
  for (const method of METHODS)
    for (const keepAlive of [true, false]) rows.push(await swap(method, keepAlive));
  return {
    title: `Requests lost around ${SWAPS} swaps of an instance`,
    columns: ["engine", "connections", "requests", "failed"],
    rows,
    notes: [
      `${USERS} users, one request after the other, 2 ms apart; at least ${REQUESTS} requests between two swaps.`,
    ],
  };
}

async function swap({ name, engine, isReload }: Method, keepAlive: boolean): Promise<(string | number)[]> {
  const worker = await startTestWorker({ engine });
  const apps = await Promise.all(
    [1, 2].map(() => startUpstream((_request, response) => response.end("served"))),
  );
  try {
    const route = (turn: number) => {
      const stable = apps[turn % apps.length]?.arm("rel_1", `ins_${turn}`) ?? null;
      return worker.route([{ stable, requestTimeoutMs: 30_000 + (isReload ? turn : 0) }]);
    };
    await route(0);
    const load = startLoad({ url: worker.url, users: USERS, keepAlive });
    for (let turn = 1; turn <= SWAPS; turn += 1) {
      await load.more(REQUESTS);
      await route(turn);
    }
    await load.more(REQUESTS);
    const { requests, failures } = await load.stop();
    return [name, keepAlive ? "kept alive" : "closed", requests, failures.length];
  } finally {
    await worker.stop();
    await Promise.all(apps.map((each) => each.stop()));
  }
}
