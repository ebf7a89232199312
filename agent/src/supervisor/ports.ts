import { readFileSync } from "node:fs";
import { BoundSocket } from "node:net";

export interface PortRange {
  first: number;
  last: number;
}

export interface Ports {
  /** A port nobody uses, or null when the range is exhausted. Kept for the caller until it is given back. */
  take(): number | null;
  /** Marks a port as used by a process that was taken up again. */
  keep(port: number): void;
  giveBack(port: number): void;
}

interface PortsOptions {
  range: PortRange;
  /** Ports of outgoing connections: a listener there would meet EADDRINUSE now and then. */
  ephemeral: PortRange;
  isFree: (port: number) => boolean;
  /** Where in the range to begin, from 0 to 1: a port should not be used again right away. */
  start: number;
}

/** Gives out ports of a range, one after the other. */
export function createPorts({ range, ephemeral, isFree, start }: PortsOptions): Ports {
  const count = range.last - range.first + 1;
  const taken = new Set<number>();
  let next = Math.floor(start * count);

  function isUsable(port: number): boolean {
    const isEphemeral = port >= ephemeral.first && port <= ephemeral.last;
    return !isEphemeral && !taken.has(port) && isFree(port);
  }

  return {
    take() {
      for (let step = 0; step < count; step += 1) {
        const port = range.first + (next % count);
        next += 1;
        if (!isUsable(port)) continue;
        taken.add(port);
        return port;
      }
      return null;
    },
    keep: (port) => void taken.add(port),
    giveBack: (port) => void taken.delete(port),
  };
}

/** The kernel's range for outgoing connections. */
export function readEphemeralRange(): PortRange {
  const [first = 32_768, last = 60_999] = readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8")
    .trim()
    .split(/\s+/)
    .map(Number);
  return { first, last };
}

/** Tries by binding; a port in use anywhere on this machine is not free. */
export function isPortFree(port: number): boolean {
  try {
    new BoundSocket({ host: "0.0.0.0", port }).close();
    return true;
  } catch {
    return false;
  }
}
