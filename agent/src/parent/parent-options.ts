import type { EngineSetting } from "../haproxy/choose-engine.ts";
import type { ProxyLimits } from "../proxy/worker-protocol.ts";

/** Options of the parent, one JSON document in MAINSTAY_PARENT or as its only argument. */
export interface ParentOptions {
  /** What must outlive a restart: desired state, keys, journal. */
  dataDirectory: string;
  /** Sockets and ledgers; short, because a UNIX socket's path has at most 107 bytes. */
  runtimeDirectory: string;
  proxy: {
    /** A numeric address; nothing is resolved. */
    host: string;
    port: number;
    workers: number;
    /** Who accepts; Node when left out. */
    engine?: EngineSetting;
    /** How long a stopping worker waits for what it has in flight. */
    drainTimeoutMs?: number;
    limits: ProxyLimits;
    /** Networks in CIDR notation whose forwarding headers are believed. */
    trustedProxies: string[];
    /** Where TLS comes in; absent where it does not. */
    tls?: { host: string; port: number };
  };
  /** null where a service manager starts the server. */
  server: { command: string[]; env: Record<string, string> } | null;
  agent?: {
    /** The range PORT is chosen from; outside net.ipv4.ip_local_port_range. */
    ports?: { first: number; last: number };
    /** Where the container engine answers; looked for when left out. */
    containerSocket?: string;
  };
}

/** What stops the parent from starting; a code of the error catalogue, told without loading it. */
export class ParentError extends Error {
  readonly code: "ALREADY_RUNNING" | "ADDRESS_IN_USE" | "CONFIG_INVALID";
  readonly params: Record<string, string>;
  constructor(code: ParentError["code"], message: string, params: Record<string, string>) {
    super(message);
    this.code = code;
    this.params = params;
  }
}
