import type { IncomingMessage, ServerResponse } from "node:http";
import { readClient, type Trust } from "./client.ts";
import { hostName } from "./headers.ts";
import type { TlsCertificates } from "./tls-certificates.ts";
import type { WorkerHttps } from "./worker-protocol.ts";

/** RFC 8555, section 8.3. */
const CHALLENGE_PATH = "/.well-known/acme-challenge/";
const PERMANENT_REDIRECT = 308;

export interface Edge {
  replace(https: WorkerHttps): void;
  /** Answers what concerns the proxy itself and no service; true when it did. */
  answer(request: IncomingMessage, response: ServerResponse, target: { host: string; path: string }): boolean;
  /** What an answer to this host has to say of HTTPS (RFC 6797); null: nothing. */
  strictTransport(request: IncomingMessage, host: string): string | null;
}

interface EdgeOptions {
  certificates: TlsCertificates;
  /** Whom to believe that a client came to it by HTTPS. */
  trust: Trust;
  /** While the worker is stopping, connections end with their next answer. */
  isDraining: () => boolean;
}

/** What stands before routing: challenges of certificate authorities, and the way from HTTP to HTTPS. */
export function createEdge({ certificates, trust, isDraining }: EdgeOptions): Edge {
  let challenges = new Map<string, string>();
  let https: WorkerHttps | null = null;

  function challengeOf(path: string): string | null {
    if (!path.startsWith(CHALLENGE_PATH)) return null;
    return challenges.get(path.slice(CHALLENGE_PATH.length)) ?? null;
  }

  /** Whether the client's way here is encrypted, to this worker or to a trusted proxy before it. */
  function isSecure(request: IncomingMessage, host: string): boolean {
    return readClient(request, host, trust).protocol === "https";
  }

  /** Where a plain request is sent; null when it is served as it is. */
  function secureAddress(request: IncomingMessage, { host, path }: { host: string; path: string }) {
    if (!https || isSecure(request, host)) return null;
    const name = hostName(host);
    const isRedirected = https.secureHosts.includes(name) || (https.redirect && certificates.covers(name));
    if (!isRedirected) return null;
    return `https://${name}${https.port === 443 ? "" : `:${https.port}`}${path}`;
  }

  return {
    replace(next) {
      https = next;
      challenges = new Map(next.challenges.map((each) => [each.token, each.answer]));
    },
    answer(request, response, target) {
      const challenge = challengeOf(target.path);
      if (isDraining()) response.shouldKeepAlive = false;
      if (challenge !== null) return sendText(response, { status: 200, text: challenge });
      const location = secureAddress(request, target);
      if (location === null) return false;
      return sendText(response, { status: PERMANENT_REDIRECT, text: `${location}\n`, headers: { location } });
    },
    strictTransport(request, host) {
      const isMeant =
        https && https.hstsSeconds > 0 && isSecure(request, host) && certificates.covers(hostName(host));
      return isMeant ? `max-age=${https?.hstsSeconds ?? 0}` : null;
    },
  };
}

interface TextAnswer {
  status: number;
  text: string;
  headers?: Record<string, string>;
}

function sendText(response: ServerResponse, { status, text, headers = {} }: TextAnswer): true {
  response.writeHead(status, {
    "content-type": "text/plain; charset=utf-8",
    "content-length": Buffer.byteLength(text),
    "cache-control": "no-store",
    ...headers,
  });
  response.end(text);
  return true;
}
