import type { StartedProcess } from "../../tests/support/started-process.ts";

/** A proxy in front of the backend, running. */
export interface RunningPeer extends StartedProcess {
  name: string;
  url: string;
  /** Sent with every request. */
  headers: string[];
}

export interface PeerSetting {
  /** Where it may write its configuration. */
  folder: string;
  backendPort: number;
}
