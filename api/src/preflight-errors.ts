import type { ErrorKind } from "./error-kind.ts";

/** What the checks before a release can find, beside what others refuse. */
export const PREFLIGHT_ERRORS = {
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
    remedy: "List them in mainstay.yaml, or take them away with 'mainstay secrets delete'.",
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
  PREFLIGHT_ROUTE_TAKEN: {
    status: 409,
    message:
      "the route {route} is also that of {service} in {environment}, and only one of the two would get its requests",
    remedy: "Give each a host or a path of its own under routes in mainstay.yaml.",
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
  PREFLIGHT_UNSIGNED: {
    status: 409,
    message: "nobody who is trusted vouches for the release: {reason}",
    remedy: "Sign its digest: docs/guides/signatures.md; or take the key into signatures.keys.",
  },
  PREFLIGHT_UNGUARDED: {
    status: 409,
    message: "{strategy} compares nothing here, and {missing} is set: only health guards this change",
    remedy:
      "Set rollout.limits, rollout.gates, verify, or another rollout.strategy; docs/guides/strategies.md says which.",
  },
  PREFLIGHT_GATE: {
    status: 409,
    message: "{query} of the gate {gate} cannot be asked: {reason}",
    remedy: "Correct it under rollout in mainstay.yaml; docs/guides/gates.md lists the variables.",
  },
  PREFLIGHT_DEPENDENCY: {
    status: 409,
    message: "{dependency}, which {service} depends on, {reason}",
    remedy:
      "Bring it in first, or wait until it has all traffic; 'mainstay deploy' of both directories keeps the order.",
  },
  PREFLIGHT_DEPENDENCY_UNHEALTHY: {
    status: 409,
    message: "{dependency}, which {service} depends on, is not well: {reason}",
    remedy: "Look at it first: 'mainstay status {dependency}'.",
  },
  PREFLIGHT_DEPENDENCY_CIRCLE: {
    status: 409,
    message: "the services depend on each other in a circle: {circle}",
    remedy: "Take one of them out of dependsOn: each must be able to serve before the next one.",
  },
  PREFLIGHT_STABLE_UNHEALTHY: {
    status: 409,
    message: "the stable release is not well itself: {reason}",
    remedy: "Look at it first ('mainstay status'); going back to it would not help.",
  },
} as const satisfies Record<string, ErrorKind>;
