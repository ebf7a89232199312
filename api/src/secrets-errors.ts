import type { ErrorKind } from "./error-kind.ts";

/** What can be wrong with what is sealed, and with the keys it is sealed with. */
export const SECRETS_ERRORS = {
  SECRETS_FILE: {
    status: 422,
    message: "the secrets file {file} cannot be used: {reason}",
    remedy: "Make it a file of KEY=value lines, owned by the account of the server, with mode 0600.",
  },
  SECRET_MISSING: {
    status: 422,
    message: "the secrets {names} have no value for {service} in {environment}",
    remedy:
      "Set each with 'mainstay secrets set {service} KEY', or bring them with 'mainstay secrets import {service}'.",
  },
  SECRETS_KEY_FILE: {
    status: 503,
    message: "the key file {file} cannot be used: {reason}",
    remedy:
      'It holds lines "vault-key-1 <id> <base64>", or a passphrase, for the account of the server alone.',
  },
  SECRETS_KEY_MISSING: {
    status: 503,
    message: "the database is sealed with the key {key}, which is not in {where}",
    remedy: "Put that key back, or hand in the recovery key on this machine: mainstay secrets recover.",
  },
  SECRETS_PASSPHRASE_WRONG: {
    status: 503,
    message: "the passphrase in {where} is not the one the database is sealed with",
    remedy:
      "Give the passphrase that was in force when this server last ran; nobody can open the database without it.",
  },
  SECRETS_UNREADABLE: {
    status: 500,
    message: "what is sealed at {place} cannot be opened: {reason}",
    remedy:
      "'mainstay secrets status' lists keys and rows; bring a lost key back with 'mainstay secrets recover'.",
  },
  SECRETS_ROTATION_RUNNING: {
    status: 409,
    message: "a rotation is under way",
    remedy: "Wait for its end: 'mainstay secrets status' says how far it is.",
  },
  SECRETS_NO_NEW_KEY: {
    status: 409,
    message: "there is no new key to rotate to: the keys come from {where}",
    remedy: "Add the new key or passphrase there as a further line, restart the server, and rotate again.",
  },
} as const satisfies Record<string, ErrorKind>;
