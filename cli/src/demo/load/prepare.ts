import type { PlannedRequest } from "./request-mix.ts";
import type { Result } from "./outcome.ts";
import type { Transport } from "./transport.ts";

const AT_ONCE = 4;
const ALREADY_THERE = 409;

/** Sends what a mix needs to find, a few at a time. Throws when one of them is not taken. */
export async function prepare(transport: Transport, requests: readonly PlannedRequest[]): Promise<void> {
  const waiting = requests.values();
  const sendInTurn = async () => {
    for (const request of waiting) refuseFailure(request, await send(transport, request));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, sendInTurn));
}

function send(transport: Transport, request: PlannedRequest): Promise<Result> {
  return new Promise((resolve) => transport.send({ ...request, cookie: null, close: false }, resolve));
}

function refuseFailure({ method, path }: PlannedRequest, result: Result): void {
  const isTaken = "status" in result && (result.status < 300 || result.status === ALREADY_THERE);
  if (isTaken) return;
  const cause = "status" in result ? `status ${result.status}` : result.failure;
  throw new Error(
    `the load cannot be prepared: ${method} ${path} ended with ${cause}; is this the right service?`,
  );
}
