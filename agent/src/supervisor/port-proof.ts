import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { findTree, type Tree } from "./process-tree.ts";

const LISTEN = "0A";

/** null when every socket that listens on the port belongs to the tree; otherwise what is wrong. */
export type PortProof = () => string | null;

/**
 * Proves that whoever answers on a port is the process that was started, not
 * one that happened to be there: the inodes of the port's listening sockets
 * (/proc/net/tcp) must be open in a process of the tree (/proc/<pid>/fd).
 */
export function createPortProof(port: number, tree: Tree): PortProof {
  let proven: { path: string; link: string } | null = null;

  return () => {
    if (proven && readLink(proven.path) === proven.link) return null;
    proven = null;
    const listening = listListeners(port);
    if (listening.length === 0) return `nothing listens on port ${port}`;
    const open = listSockets(findTree(tree).map((each) => each.pid));
    if (!listening.every((link) => open.has(link)))
      return `port ${port} belongs to a process that is not this instance's`;
    const link = listening[0] ?? "";
    proven = { path: open.get(link) ?? "", link };
    return null;
  };
}

/**
 * "socket:[inode]" of every socket that listens on the port, IPv4 and IPv6 (proc_pid_net(5)), in the network
 * that the directory stands for.
 */
export function listListeners(port: number, network = "/proc/net"): string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return [`${network}/tcp`, `${network}/tcp6`].flatMap((path) =>
    readTable(path).flatMap((line) => {
      const fields = line.trim().split(/\s+/);
      return fields[3] === LISTEN && fields[1]?.endsWith(suffix) ? [`socket:[${fields[9]}]`] : [];
    }),
  );
}

function readTable(path: string): string[] {
  try {
    return readFileSync(path, "utf8").split("\n").slice(1);
  } catch {
    // A machine without IPv6 has no tcp6.
    return [];
  }
}

/** "socket:[inode]" → where it is open. */
function listSockets(pids: number[]): Map<string, string> {
  const sockets = new Map<string, string>();
  for (const pid of pids) {
    for (const path of listDescriptors(pid)) {
      const link = readLink(path);
      if (link?.startsWith("socket:")) sockets.set(link, path);
    }
  }
  return sockets;
}

function listDescriptors(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((entry) => `/proc/${pid}/fd/${entry}`);
  } catch {
    // Gone meanwhile.
    return [];
  }
}

function readLink(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}
