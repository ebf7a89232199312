import { BoundSocket } from "node:net";

/** Neither given to instances nor to outgoing connections: free now means free after a restart, too. */
const PORTS = { first: 12_000, count: 7_000, attempts: 50 };

/** A port that nothing listens on, drawn by chance so that two callers hardly ever get the same one. */
export function findFreePort(): number {
  for (let attempt = 0; attempt < PORTS.attempts; attempt += 1) {
    const port = PORTS.first + Math.floor(Math.random() * PORTS.count);
    if (isFree(port)) return port;
  }
  throw new Error(`found no free port from ${PORTS.first} on`);
}

function isFree(port: number): boolean {
  try {
    new BoundSocket({ host: "127.0.0.1", port }).close();
    return true;
  } catch (error) {
    const isTaken = error instanceof Error && "code" in error && error.code === "EADDRINUSE";
    if (!isTaken) throw error;
    return false;
  }
}
