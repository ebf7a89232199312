/** The error catalogue: every code a user can meet, its HTTP status, its words and its remedy. */

interface ErrorKind {
  status: number;
  /** `{name}` is replaced by the parameter of that name. */
  message: string;
  remedy: string;
}

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
    message: "no valid API key was sent",
    remedy:
      "Send 'Authorization: Bearer <key>'; the key was printed at the first start, and MAINSTAY_TOKEN hands it to the CLI.",
  },
  PERMISSION_DENIED: {
    status: 403,
    message: "this needs the permission {permission}",
    remedy: "Ask an administrator for a role that has it.",
  },
  REQUEST_INVALID: {
    status: 400,
    message: "the request does not have the form this route expects",
    remedy: "Correct the fields named below; /api/v1/openapi.json describes every route.",
  },
  REQUEST_TOO_LARGE: {
    status: 413,
    message: "the request body is larger than {limitBytes} bytes",
    remedy: "Send less, or raise server.bodyLimit in mainstay.platform.yaml.",
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
  UNSUPPORTED_MEDIA_TYPE: {
    status: 415,
    message: "the request body has a type that this route does not read",
    remedy: "Send JSON with 'Content-Type: application/json'.",
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
  RELEASE_DIRECTORY: {
    status: 422,
    message: "{path} cannot become a release: {reason}",
    remedy:
      "Give an absolute path to a directory that the server can read and that holds the service's files and its mainstay.yaml.",
  },
  RELEASE_ALTERED: {
    status: 409,
    message: "the files of release {release} are not the ones that were registered",
    remedy: "Deploy the directory again: that makes a new release from its present files.",
  },
  SECRETS_FILE: {
    status: 422,
    message: "the secrets file {file} cannot be used: {reason}",
    remedy: "Make it a file of KEY=value lines, owned by the account of the server, with mode 0600.",
  },
  SECRET_MISSING: {
    status: 422,
    message: "the secrets {names} are not in {file}",
    remedy: "Add a KEY=value line for each of them.",
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
  PREFLIGHT_BROKEN: {
    status: 409,
    message: "the check {check} came to no result: {reason}",
    remedy: "Look at the server's log; the check is made anew with the next request.",
  },
  PREFLIGHT_ENV: {
    status: 409,
    message: "the environment differs from the stable release: {differences}",
    remedy: "Compare env in both service files, and --env of this deploy, if that was not meant.",
  },
  PREFLIGHT_SECRET_UNUSED: {
    status: 409,
    message: "the secrets {names} have a value but are not listed under secrets, so no process gets them",
    remedy: "List them in mainstay.yaml, or take them out of the secrets file.",
  },
  PREFLIGHT_SECRET_SHADOWED: {
    status: 409,
    message: "{names} stand under env and under secrets; the processes get the secret",
    remedy: "Name each variable in one of the two places.",
  },
  PREFLIGHT_DISK: {
    status: 409,
    message: "{path} has {free} free, and {needed} are wanted for the new instances' logs and the platform",
    remedy: "Make room: remove old files or enlarge the disk.",
  },
  PREFLIGHT_MEMORY: {
    status: 409,
    message:
      "{free} of memory are available, and the candidate needs about {needed} beside the stable release",
    remedy: "Free memory, run fewer instances, or deploy with rollout.strategy: rolling.",
  },
  PREFLIGHT_PORTS: {
    status: 409,
    message: "{wanted} ports are needed, and {free} from {first} to {last} are free",
    remedy: "Stop what uses them, or widen agent.portRange in mainstay.platform.yaml.",
  },
  PREFLIGHT_PORT_TAKEN: {
    status: 409,
    message: "{process} wants the port {port}, and {reason}",
    remedy: "Write port: auto; the process finds its port in PORT.",
  },
  PREFLIGHT_HEALTH: {
    status: 409,
    message: "the health gate of {process} makes little sense: {reason}",
    remedy: "Correct health under processes.{process} in mainstay.yaml.",
  },
  PREFLIGHT_NODE: {
    status: 409,
    message: "package.json asks for node {wanted}, and the processes would get {found}",
    remedy: "Install that Node on this machine, or correct engines.node.",
  },
  PREFLIGHT_COMMAND: {
    status: 409,
    message: "the command {command} of {process} is not on this machine",
    remedy: "Install it, ship it with the release, or correct processes.{process}.command.",
  },
  PREFLIGHT_UNGUARDED: {
    status: 409,
    message: "{strategy} compares nothing here, and {missing} is set: only health guards this change",
    remedy: "Set rollout.limits, verify, or another rollout.strategy; docs/guides/strategies.md says which.",
  },
  PREFLIGHT_STABLE_UNHEALTHY: {
    status: 409,
    message: "the stable release is not well itself: {reason}",
    remedy: "Look at it first ('mainstay status'); going back to it would not help.",
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
