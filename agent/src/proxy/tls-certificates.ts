import { createSecureContext, type SecureContext } from "node:tls";
import { TLS_POLICY } from "./tls-policy.ts";
import type { WorkerHttps } from "./worker-protocol.ts";

type Certificate = WorkerHttps["certificates"][number];

export interface TlsCertificates {
  /** Takes new certificates, at once and as a whole; connections that are open keep theirs. */
  replace(https: WorkerHttps): void;
  /** The context for a name a client asks for; null: it gets the fallback. */
  contextOf(name: string): SecureContext | null;
  /** Whether a certificate of its own, not just the fallback, stands for the host. */
  covers(host: string): boolean;
}

/** The certificates of one worker by host, with a TLS context for each that was asked for. */
export function createTlsCertificates(): TlsCertificates {
  let byHost = new Map<string, Certificate>();
  let contexts = new Map<string, SecureContext>();

  function find(host: string): Certificate | null {
    const name = host.toLowerCase();
    // RFC 9525, section 6.3: the wildcard stands for exactly one label, the first.
    return byHost.get(name) ?? byHost.get(`*${name.slice(name.indexOf("."))}`) ?? null;
  }

  return {
    replace({ certificates }) {
      const kept = new Set(certificates.map((each) => each.cert));
      contexts = new Map([...contexts].filter(([cert]) => kept.has(cert)));
      byHost = new Map(certificates.flatMap((each) => each.hosts.map((host) => [host.toLowerCase(), each])));
    },
    contextOf(name) {
      const certificate = find(name);
      if (!certificate) return null;
      const { cert, key } = certificate;
      const context = contexts.get(cert) ?? createSecureContext({ ...TLS_POLICY, cert, key });
      contexts.set(cert, context);
      return context;
    },
    covers: (host) => find(host) !== null,
  };
}
