import { setTimeout as delay } from "node:timers/promises";
import { request } from "undici";

const RETRY_MS = 200;
const ANSWER_TIMEOUT_MS = 2000;

interface Address {
  host: string;
  port: number;
}

/** Whether the server says that it is ready to serve. */
export async function isReady({ host, port }: Address): Promise<boolean> {
  const name = host.includes(":") ? `[${host}]` : host;
  const timeouts = { headersTimeout: ANSWER_TIMEOUT_MS, bodyTimeout: ANSWER_TIMEOUT_MS };
  return request(`http://${name}:${port}/readyz`, timeouts).then(
    async ({ statusCode, body }) => {
      await body.dump();
      return statusCode === 200;
    },
    () => false,
  );
}

/** Waits until something holds; false when the time is over first. */
export async function waitUntil(holds: () => Promise<boolean>, timeoutMs: number): Promise<boolean> {
  const deadlineMs = performance.now() + timeoutMs;
  while (!(await holds())) {
    if (performance.now() >= deadlineMs) return false;
    await delay(RETRY_MS);
  }
  return true;
}
