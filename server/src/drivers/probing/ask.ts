import { request, type IncomingMessage } from "node:http";

/** Marks what the platform asks by itself, for the service's own logs and metrics. */
const PROBE_HEADER = "mainstay-probe";
/** More of a body is not read. */
const BODY_LIMIT_BYTES = 1024 ** 2;

export interface Question {
  port: number;
  path: string;
  method?: "GET" | "HEAD";
  /** The Host the instance is asked for; its address when null. */
  host: string | null;
  /** What the marking header says: the change that is being probed. */
  mark: string;
  timeoutMs: number;
}

export type Answer = { status: number; body: string } | { error: string };

/** One request to an instance on this machine, past the proxy: users' counts never hold it. */
export function ask({ port, path, method = "GET", host, mark, timeoutMs }: Question): Promise<Answer> {
  const signal = AbortSignal.timeout(timeoutMs);
  const headers = { [PROBE_HEADER]: mark, connection: "close", ...(host === null ? {} : { host }) };
  return new Promise((resolve) => {
    const fail = (error: Error): void =>
      resolve({ error: signal.aborted ? `no answer within ${timeoutMs} ms` : error.message });
    const outgoing = request({ host: "127.0.0.1", port, path, method, headers, signal, agent: false });
    outgoing.once("error", fail);
    outgoing.once("response", (answer) => {
      readBody(answer).then((body) => resolve({ status: answer.statusCode ?? 0, body }), fail);
    });
    outgoing.end();
  });
}

async function readBody(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of answer) {
    const bytes = Buffer.from(chunk);
    chunks.push(bytes);
    sizeBytes += bytes.length;
    if (sizeBytes >= BODY_LIMIT_BYTES) break;
  }
  return Buffer.concat(chunks).toString("utf8");
}
