/** The roles that every installation has, each with everything that those before it may do. */
export const BUILT_IN_ROLES = ["viewer", "operator", "deployer", "admin"] as const;
export type BuiltInRole = (typeof BUILT_IN_ROLES)[number];

interface PermissionKind {
  /** What its holder may do. */
  summary: string;
  /** The first of the built-in roles that has it. */
  from: BuiltInRole;
}

/** Everything that may be permitted, as `<resource>.<action>`; there is nothing else to be granted. */
export const PERMISSIONS = {
  "api.read": { summary: "read the description of the API", from: "viewer" },
  "platform.read": { summary: "see whether the platform is well", from: "viewer" },
  "services.read": { summary: "see services, instances and their logs", from: "viewer" },
  "releases.read": { summary: "see releases and what they are made of", from: "viewer" },
  "builds.read": { summary: "see builds and their output", from: "viewer" },
  "changes.read": { summary: "see changes, their evidence and their reports", from: "viewer" },
  "certificates.read": { summary: "see certificates and how their renewal goes", from: "viewer" },
  "problems.read": { summary: "see what is wrong right now", from: "viewer" },
  "channels.read": { summary: "see who is told of problems, and what was sent", from: "viewer" },
  "settings.read": { summary: "see variables, names of secrets and numbers of instances", from: "operator" },
  "tasks.read": { summary: "see commands that ran once, and their output", from: "operator" },
  "metrics.read": { summary: "read the metrics of the platform and of every service", from: "operator" },
  "metrics.write": { summary: "send metrics: remote-write, OTLP, JSON", from: "deployer" },
  "metrics.admin": {
    summary: "delete series, take snapshots, import under Mainstay's own names",
    from: "admin",
  },
  "audit.read": { summary: "see who did what", from: "operator" },
  "secrets.read": {
    summary: "see how much is sealed with which key, and how far a rotation is",
    from: "operator",
  },
  "keys.read": { summary: "see the API keys of one's own", from: "operator" },
  "users.read": { summary: "see who may log in", from: "admin" },
  "users.write": { summary: "invite, disable and remove people, and end their sessions", from: "admin" },
  "account.read": { summary: "see one's own account; whoever is logged in may", from: "viewer" },
  "account.write": { summary: "change one's own account; whoever is logged in may", from: "viewer" },
  "keys.write": {
    summary: "make, rotate and revoke API keys that may no more than oneself",
    from: "operator",
  },
  "services.write": { summary: "turn a maintenance page on and off", from: "operator" },
  "changes.steer": {
    summary: "promote, pause, resume, cancel, abort, finish and roll back changes",
    from: "operator",
  },
  "certificates.write": { summary: "renew certificates and read their files again", from: "operator" },
  "channels.write": { summary: "send a message to a channel to try it", from: "operator" },
  "releases.write": { summary: "upload files, register and promote releases", from: "deployer" },
  "builds.write": { summary: "have releases built, and stop builds", from: "deployer" },
  "changes.write": { summary: "request changes", from: "deployer" },
  "settings.write": { summary: "set variables and secrets", from: "deployer" },
  "tasks.write": {
    summary: "run commands with a service's code and secrets, and stop them",
    from: "deployer",
  },
  "changes.approve": { summary: "approve and reject changes that wait for it", from: "operator" },
  "changes.force": {
    summary: "request changes that go on in spite of findings, a freeze window or missing approvals",
    from: "admin",
  },
  "secrets.reveal": { summary: "read the values of a service's secrets", from: "admin" },
  "secrets.rotate": { summary: "rotate the keys that everything is sealed with", from: "admin" },
  "audit.erase": { summary: "erase somebody's personal data from the audit log", from: "admin" },
  "audit.archive": { summary: "move old entries of the audit log into files", from: "admin" },
  "releases.collect": { summary: "remove the files of releases that nobody needs", from: "admin" },
  "access.read": { summary: "see roles, teams, grants and API keys", from: "admin" },
  "access.write": { summary: "make and remove roles, teams and grants, revoke any key", from: "admin" },
} as const satisfies Record<`${string}.${string}`, PermissionKind>;

export type Permission = keyof typeof PERMISSIONS;

/** Whether a text is the name of a permission. */
export function isPermission(text: string): text is Permission {
  return Object.hasOwn(PERMISSIONS, text);
}

/** What the holder of a built-in role may do. */
export function permissionsOfRole(role: BuiltInRole): Permission[] {
  const rank = BUILT_IN_ROLES.indexOf(role);
  return Object.entries(PERMISSIONS).flatMap(([permission, { from }]) =>
    isPermission(permission) && BUILT_IN_ROLES.indexOf(from) <= rank ? [permission] : [],
  );
}
