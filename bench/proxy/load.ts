import { execFile } from "node:child_process";
import { promisify } from "node:util";

export interface LoadResult {
  requests: number;
  requestsPerSecond: number;
  /** Answers other than 2xx and 3xx, and connections that broke. */
  failures: number;
}

export interface LoadOptions {
  url: string;
  seconds: number;
  headers?: string[];
}

/** Fifty keep-alive connections as fast as the answers come, from a process of its own. */
export async function runLoad({ url, seconds, headers = [] }: LoadOptions): Promise<LoadResult> {
  const args = ["-t1", "-c50", `-d${seconds}s`, ...headers.flatMap((header) => ["-H", header]), url];
  const { stdout } = await promisify(execFile)("wrk", args);
  return parseLoad(stdout);
}

/** What wrk prints. */
export function parseLoad(text: string): LoadResult {
  const requests = Number(/^\s*(\d+) requests in/m.exec(text)?.[1] ?? NaN);
  const requestsPerSecond = Number(/^Requests\/sec:\s+([\d.]+)/m.exec(text)?.[1] ?? NaN);
  if (Number.isNaN(requests) || Number.isNaN(requestsPerSecond)) throw new Error(`wrk said: ${text}`);
  const refused = Number(/Non-2xx or 3xx responses: (\d+)/.exec(text)?.[1] ?? 0);
  const broken = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(text) ?? [];
  const failures = broken.slice(1).reduce((sum, count) => sum + Number(count), refused);
  return { requests, requestsPerSecond, failures };
}
