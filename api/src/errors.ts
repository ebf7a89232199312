import { APPROVAL_ERRORS } from "./approval-errors.ts";
import type { ErrorKind } from "./error-kind.ts";
import { ACCESS_ERRORS } from "./access-errors.ts";
import { LOGIN_ERRORS } from "./login-errors.ts";
import { PREFLIGHT_ERRORS } from "./preflight-errors.ts";
import { SECRETS_ERRORS } from "./secrets-errors.ts";
import { UPLOAD_ERRORS } from "./upload-errors.ts";

/** The error catalogue: every code a user can meet, its HTTP status, its words and its remedy. */

export const ERRORS = {
  CONFIG_INVALID: {
    status: 422,
    message: "{file} is not a valid configuration",
    remedy: "Correct the paths named below; docs/reference/configuration.md lists every key.",
  },
  CONFIG_UNREADABLE: {
    status: 422,
    message: "{file} cannot be read: {reason}",
    remedy: "Check that the file exists and that this account may read it.",
  },
  DATABASE_UNREACHABLE: {
    status: 503,
    message: "the database does not answer: {reason}",
    remedy: "Start PostgreSQL or correct DATABASE_URL; without DATABASE_URL the embedded PostgreSQL is used.",
  },
  DATABASE_POOLER: {
    status: 503,
    message:
      "DATABASE_URL leads to a pooler in transaction mode, where locks, LISTEN and prepared statements get lost",
    remedy:
      "Point DATABASE_URL at PostgreSQL itself, or set pool_mode = session for this database in the pooler.",
  },
  DATABASE_TOO_OLD: {
    status: 503,
    message: "PostgreSQL {version} is too old",
    remedy: "Use PostgreSQL 15 or newer, or unset DATABASE_URL to use the embedded PostgreSQL 18.",
  },
  DATABASE_DIRECTORY: {
    status: 503,
    message: "the embedded PostgreSQL cannot use {path}: {reason}",
    remedy:
      "Set dataDirectory (or MAINSTAY_DATA_DIRECTORY) to a place that an unprivileged account can reach, for example /var/lib/mainstay.",
  },
  DATABASE_NEWER: {
    status: 503,
    message: "the database was migrated by a newer Mainstay ({migration})",
    remedy: "Start the version that made it, or a newer one; migrations only go forward.",
  },
  DATABASE_CLUSTER_VERSION: {
    status: 503,
    message: "{path} was made by PostgreSQL {found}, and this Mainstay brings PostgreSQL {expected}",
    remedy:
      "Start the Mainstay that made it and export its data, or run that PostgreSQL yourself and set DATABASE_URL.",
  },
  DATABASE_ALTERED: {
    status: 503,
    message: "the migration {migration} is not the one that was applied to this database",
    remedy: "Restore the file as it was released; what is to be altered goes into a new migration.",
  },
  ALREADY_RUNNING: {
    status: 409,
    message: "another Mainstay runs on {path}",
    remedy: "Stop it first, or give this one its own dataDirectory.",
  },
  ADDRESS_IN_USE: {
    status: 409,
    message: "{address} is already in use",
    remedy: "Stop the other program, or choose another port in mainstay.platform.yaml.",
  },
  EVENTS_PRUNED: {
    status: 410,
    message: "the events after {after} are no longer kept; the oldest is {oldest}",
    remedy: "Read the present state first, then follow the events without 'after'.",
  },
  RUNTIME_DIRECTORY: {
    status: 503,
    message: "the sockets cannot be kept in {path}: {reason}",
    remedy: "Set XDG_RUNTIME_DIR to a short directory that only this account may enter.",
  },
  UNAUTHENTICATED: {
    status: 401,
    message: "nobody is logged in, and no valid API key was sent",
    remedy:
      "Log in with 'mainstay login', or send 'Authorization: Bearer <key>'; MAINSTAY_TOKEN hands one to the CLI.",
  },
  HOST_REFUSED: {
    status: 421,
    message: "this server does not answer as {host}",
    remedy: "Ask it by an address or as localhost, or add the name to server.allowedHosts.",
  },
  PERMISSION_DENIED: {
    status: 403,
    message: "this needs the permission {permission} for {scope}",
    remedy: "Ask an administrator for a role that has it there; 'mainstay roles list' says which do.",
  },
  ...ACCESS_ERRORS,
  REQUEST_INVALID: {
    status: 400,
    message: "the request does not have the form this route expects",
    remedy: "Correct the fields named below; /api/v1/openapi.json describes every route.",
  },
  REQUEST_TOO_LARGE: {
    status: 413,
    message: "the request body is larger than {limitBytes} bytes",
    remedy: "Send less, or raise {setting} in mainstay.platform.yaml.",
  },
  REQUEST_OVER_MAXIMUM: {
    status: 413,
    message: "the request body is larger than {limitBytes} bytes, the most that this route takes",
    remedy: "Send it in several requests.",
  },
  REQUEST_TIMEOUT: {
    status: 503,
    message: "the request was not answered within {limitMs} ms",
    remedy: "Try again; if it repeats, look at the server's log under this requestId.",
  },
  REQUEST_INCOMPLETE: {
    status: 408,
    message: "the request did not arrive completely within {limitMs} ms",
    remedy:
      "Check the connection and send it again; server.requestTimeout in mainstay.platform.yaml is the limit.",
  },
  METRICS_UNAVAILABLE: {
    status: 503,
    message: "the metrics store cannot be asked: {reason}",
    remedy: "Try again in a second; if it repeats, docs/guides/metrics.md says what it may be.",
  },
  UNSUPPORTED_MEDIA_TYPE: {
    status: 415,
    message: "the request body has a type that this route does not read",
    remedy: "Send what it reads, with the header 'Content-Type: {types}'.",
  },
  PRECONDITION_REQUIRED: {
    status: 428,
    message: "an edit must name the version it is based on",
    remedy: "Read the item first and send its ETag in the header If-Match.",
  },
  PRECONDITION_FAILED: {
    status: 412,
    message: "the item was altered since it was read",
    remedy: "Read it again, look at what is different, and send the edit with the new ETag.",
  },
  IDEMPOTENCY_CONFLICT: {
    status: 422,
    message: "this Idempotency-Key was used for another request",
    remedy: "Use a new key for a new request.",
  },
  IDEMPOTENCY_RUNNING: {
    status: 409,
    message: "the first request with this Idempotency-Key is still being worked on",
    remedy: "Send the same request again in a few seconds; it answers what the first one came to.",
  },
  NOT_FOUND: {
    status: 404,
    message: "{what} does not exist",
    remedy: "Check the name; 'mainstay status' lists what exists.",
  },
  SHUTTING_DOWN: {
    status: 503,
    message: "the server is stopping",
    remedy: "Try again in a moment.",
  },
  INTERNAL: {
    status: 500,
    message: "something went wrong inside Mainstay",
    remedy: "Look at the server's log under this requestId, and report it.",
  },
  SERVER_UNREACHABLE: {
    status: 503,
    message: "no Mainstay server answers at {url}",
    remedy: "Start it with 'mainstay up', or set MAINSTAY_URL to where it runs.",
  },
  AGENT_UNREACHABLE: {
    status: 503,
    message: "the agent does not answer: {reason}",
    remedy: "It restarts by itself within seconds; 'mainstay status' says when it is back.",
  },
  AGENT_REFUSED: {
    status: 409,
    message: "the agent refused the desired state: {reason}",
    remedy: "Another server may have written a newer one; 'mainstay status' says what is applied.",
  },
  CONTAINER_ENGINE: {
    status: 503,
    message: "no container engine can be used: {reason}",
    remedy:
      "Install podman or Docker, or set agent.containerSocket to its socket, which the agent's account must be able to open.",
  },
  IMAGE_UNAVAILABLE: {
    status: 422,
    message: "the image {image} cannot be had: {reason}",
    remedy: "Check its name, tag or digest, and that this machine's container engine may pull it.",
  },
  RELEASE_DIRECTORY: {
    status: 422,
    message: "{path} cannot become a release: {reason}",
    remedy:
      "Give an absolute path to a directory that the server can read and that holds the service's files and its mainstay.yaml.",
  },
  ...UPLOAD_ERRORS,
  ARCHIVE_REFUSED: {
    status: 422,
    message: "the archive cannot become a release: {reason}",
    remedy: "Pack it with 'mainstay deploy', or as docs/formats/release.md describes an archive.",
  },
  RELEASE_TO_BUILD: {
    status: 409,
    message: "{file} has a build step: these files are its source, not a release",
    remedy: "Ask for a build (POST /api/v1/builds), as 'mainstay deploy' does by itself.",
  },
  BUILD_NONE: {
    status: 422,
    message: "{file} has no build step",
    remedy: "Register the files as they are (POST /api/v1/releases), or add build: { command: … }.",
  },
  BUILD_LIMIT: {
    status: 429,
    message: "{count} builds wait or run already, as many as there may be",
    remedy: "Wait for them ('mainstay builds'), or end one with 'mainstay builds stop'.",
  },
  RELEASE_COLLECTED: {
    status: 409,
    message: "the files of release {release} were removed to make room",
    remedy: "Deploy its directory again; retention.releases says how many releases keep their files.",
  },
  RELEASE_WITHOUT_SBOM: {
    status: 404,
    message: "nothing says what release {release} is made of",
    remedy: "Ship a package-lock.json, npm-shrinkwrap.json or node_modules with it.",
  },
  RELEASE_ALTERED: {
    status: 409,
    message: "the files of release {release} are not the ones that were registered",
    remedy: "Deploy the directory again: that makes a new release from its present files.",
  },
  CERTIFICATE_FILE: {
    status: 422,
    message: "the certificate {file} cannot be used: {reason}",
    remedy:
      "Put the PEM chain, the leaf first, and its unencrypted key there; the key for the server's account alone, with mode 0600.",
  },
  CERTIFICATES_OFF: {
    status: 409,
    message: "no certificate can be ordered for {host}: {reason}",
    remedy:
      "Set proxy.tls.port and acme.agreeToTerms in mainstay.platform.yaml; docs/guides/https.md says how.",
  },
  SERVICE_NOT_DEPLOYED: {
    status: 409,
    message: "no release of {service} serves in {environment}",
    remedy: "Ship one first with 'mainstay deploy'; 'mainstay status' lists what serves.",
  },
  SCALE_IMPOSSIBLE: {
    status: 422,
    message: "{service} cannot have {count} instances of {process}: {reason}",
    remedy: "'mainstay scale {service}' lists what can be scaled and how many there are.",
  },
  CHANGE_LOCKED: {
    status: 409,
    message: "{target} is being altered by {change} ({state}), requested by {by} at {since}",
    remedy:
      "Wait behind it ('mainstay deploy --wait-for-lock'), or end it with 'mainstay change abort {change}'.",
  },
  CHANGE_QUEUE_FULL: {
    status: 409,
    message: "{count} changes wait for {target} already",
    remedy: "Cancel what is not needed any more ('mainstay change cancel'), or deploy with --supersede.",
  },
  CHANGE_FROZEN: {
    status: 409,
    message: "{target} is frozen until {until}: {reason}",
    remedy: "Wait for the end of the window, or go on with --override-freeze and the reason why.",
  },
  ...APPROVAL_ERRORS,
  ...PREFLIGHT_ERRORS,
  ...LOGIN_ERRORS,
  ...SECRETS_ERRORS,
  SIGNATURE_INVALID: {
    status: 422,
    message: "the signature does not stand for these files: {reason}",
    remedy: "Sign what 'mainstay digest' prints, with a key of signatures.keys: docs/guides/signatures.md.",
  },
  CHANGE_REFUSED: {
    status: 409,
    message: "{change} cannot {verb} while it is {state}",
    remedy: "'mainstay change show {change}' says where it stands and what can be done.",
  },
  CHANGE_NOTHING_TO_DO: {
    status: 409,
    message: "{candidate} already serves {target}",
    remedy: "Deploy another release; 'mainstay releases' lists them.",
  },
  CHANGE_UNDO_BLOCKED: {
    status: 409,
    message: "{change} cannot be undone: {reason}",
    remedy: "Roll forward: mend it and run 'mainstay deploy', which ends this change and follows it.",
  },
  CHANGE_STALE: {
    status: 409,
    message: "{candidate} was made from {base}, and {stable} serves {target} by now",
    remedy: "Give the same command again: it starts from what serves now.",
  },
  RELEASE_BEFORE_MIGRATION: {
    status: 409,
    message:
      "{candidate} cannot run any more: at {at} the release command of {release} altered the schema (compatibility: contract)",
    remedy:
      "Roll forward: mend it and deploy again. Or restore a backup from before that time, then deploy the earlier code from its directory.",
  },
  AUDIT_NOT_IN_LOG: {
    status: 409,
    message: "the audit entry {index} is not in the log yet",
    remedy: "Ask again in a second; 'mainstay audit log' says whether the log goes on.",
  },
  CHANGE_NOTHING_TO_UNDO: {
    status: 409,
    message: "{target} has no earlier release to go back to",
    remedy: "Deploy the release you want with 'mainstay deploy'.",
  },
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof ERRORS;
export interface FieldError {
  path: string;
  message: string;
}

/** An error a user can meet and mend. Programmer errors are plain Errors. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly params: Record<string, string | number>;
  readonly errors: FieldError[];

  constructor(
    code: ErrorCode,
    params: Record<string, string | number> = {},
    options: { cause?: unknown; errors?: FieldError[] } = {},
  ) {
    super(fill(ERRORS[code].message, params), options.cause === undefined ? {} : { cause: options.cause });
    this.name = "AppError";
    this.code = code;
    this.params = params;
    this.errors = options.errors ?? [];
  }

  get status(): number {
    return ERRORS[this.code].status;
  }

  get remedy(): string {
    return fill(ERRORS[this.code].remedy, this.params);
  }
}

function fill(template: string, params: Record<string, string | number>): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => String(params[name] ?? whole));
}
