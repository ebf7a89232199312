import type { PortProof } from "../supervisor/port-proof.ts";
import { listListeners } from "../supervisor/port-proof.ts";

/**
 * Proves that a published port leads to the container's own process: the engine bound it for this container
 * alone, and inside of the container's network (/proc/<pid>/net) somebody listens where it leads to.
 */
export function createContainerProof(pid: number, port: number): PortProof {
  return () => {
    const listening = listListeners(port, `/proc/${pid}/net`);
    return listening.length > 0 ? null : `nothing listens on port ${port} in the container`;
  };
}
