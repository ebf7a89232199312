import type { TlsOptions } from "node:tls";

/**
 * Mozilla's "intermediate" recommendation, version 5.7 (https://wiki.mozilla.org/Security/Server_Side_TLS):
 * TLS 1.2 and 1.3, forward secrecy and authenticated encryption only. The client chooses among these, as it
 * knows best what its processor does fast.
 */
export const TLS_POLICY = {
  minVersion: "TLSv1.2",
  ciphers: [
    "TLS_AES_128_GCM_SHA256",
    "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256",
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
    "ECDHE-RSA-CHACHA20-POLY1305",
  ].join(":"),
  honorCipherOrder: false,
  // The same in every worker: a session begun at one is resumed at any other.
  sessionIdContext: "mainstay",
} as const satisfies TlsOptions;

/** Preferred first (RFC 7301). */
export const ALPN_PROTOCOLS = ["h2", "http/1.1"];
export const HANDSHAKE_TIMEOUT_MS = 10_000;
/** A ticket is worth a handshake for so long. */
export const SESSION_TIMEOUT_SECONDS = 6 * 3600;
