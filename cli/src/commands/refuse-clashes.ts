import { connect, createServer } from "node:net";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { AppError } from "@mainstay/api/plain";

/** A predecessor that was just killed may take a moment to let go of its ports. */
const FREE_WITHIN_MS = 5000;
const LOOK_MS = 100;

interface Address {
  host: string;
  port: number;
}

/**
 * Throws ALREADY_RUNNING or ADDRESS_IN_USE while nothing has been started yet:
 * later the server would find its port taken, end, and be started again and again.
 */
export async function refuseClashes(wanted: {
  dataDirectory: string;
  runtimeDirectory: string;
  addresses: Address[];
}): Promise<void> {
  const isRunning = await isAnswered(path.join(wanted.runtimeDirectory, "parent.sock"));
  if (isRunning) throw new AppError("ALREADY_RUNNING", { path: wanted.dataDirectory });
  for (const address of wanted.addresses) await mustBecomeFree(address);
}

function isAnswered(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

async function mustBecomeFree({ host, port }: Address): Promise<void> {
  for (let waitedMs = 0; await isTaken({ host, port }); waitedMs += LOOK_MS) {
    if (waitedMs >= FREE_WITHIN_MS) throw new AppError("ADDRESS_IN_USE", { address: `${host}:${port}` });
    await delay(LOOK_MS);
  }
}

/** Only whether it is taken: why else an address cannot be had, its owner says when it is started. */
function isTaken({ host, port }: Address): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", (error: NodeJS.ErrnoException) => resolve(error.code === "EADDRINUSE"));
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve(false)));
  });
}
