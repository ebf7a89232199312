import type { Permission } from "@mainstay/api";
import type { About } from "./expectation.ts";
import type { Restorable, Things } from "./things.ts";

/** One route of the matrix: what it is about, and how it is asked about the things of a place. */
export interface Entry {
  route: About;
  /** What stands in for the parameters of the address, and its query. */
  path?: (things: Things) => Record<string, string>;
  query?: string;
  body?: (things: Things) => unknown;
  /** A media type and bytes in place of JSON. */
  bytes?: { type: string; headers: Record<string, string>; content: string };
  /** What brings back before each request what an earlier one has taken away. */
  restore?: Restorable;
}

const platform = (permission: Permission): About => ({ about: "platform", permission });
const anything = (permission: Permission): About => ({ about: "anything", permission });
const named = (permission: Permission): About => ({ about: "named", permission });
const found = (permission: Permission, read: Permission): About => ({ about: "found", permission, read });
const list = (permission: Permission, isEmpty = false): About => ({ about: "list", permission, isEmpty });

const byChange = ({ change }: Things) => ({ id: change });
const byRelease = ({ release }: Things) => ({ id: release });
const byTask = ({ task }: Things) => ({ id: task });
const byBuild = ({ build }: Things) => ({ id: build });
const byTarget = ({ environment, service }: Things) => ({ environment, service });
const byNobody = () => ({ id: "nobody" });
const byAuditEntry = ({ auditEntry }: Things) => ({ id: auditEntry });
const byKey = ({ key }: Things) => ({ id: key });
const steering: Entry = { route: found("changes.steer", "changes.read"), path: byChange, body: () => ({}) };
const reading: Entry = { route: found("changes.read", "changes.read"), path: byChange };
const approving: Entry = { ...steering, route: found("changes.approve", "changes.read") };
const candidate = ({ release }: Things) => ({ candidate: release });

const openMetrics = { type: "application/openmetrics-text", headers: {}, content: "no text of metrics" };
const protobuf = { type: "application/x-protobuf", headers: {}, content: "no protobuf" };
const readMetrics: Entry = { route: platform("metrics.read") };
const readingMetrics = (name: string): Record<string, Entry> => ({
  [`GET /prometheus/api/v1/${name}`]: readMetrics,
  [`POST /prometheus/api/v1/${name}`]: readMetrics,
});
const forEach = (names: readonly string[], make: (name: string) => Record<string, Entry>) =>
  Object.fromEntries(names.flatMap((name) => Object.entries(make(name))));

/** Every route there is. One that is missing here, or says otherwise than the code, fails the test. */
export const MATRIX: Record<string, Entry> = {
  "GET /healthz": { route: { about: "public" } },
  "GET /readyz": { route: { about: "public" } },
  "GET /setup": { route: { about: "public" } },
  "GET /setup.css": { route: { about: "public" } },
  "GET /setup.js": { route: { about: "public" } },
  "POST /api/v1/links/look": { route: { about: "public" } },
  "POST /api/v1/links/redeem": { route: { about: "public" } },
  "POST /api/v1/login": { route: { about: "public" } },
  "POST /api/v1/login/second-factor": { route: { about: "public" } },
  "POST /api/v1/login/passkey": { route: { about: "public" } },
  "POST /api/v1/login/passkey/options": { route: { about: "public" } },
  "GET /api/v1/login/oidc/:provider": { route: { about: "public" }, path: () => ({ provider: "none" }) },
  "GET /api/v1/login/oidc/:provider/callback": {
    route: { about: "public" },
    path: () => ({ provider: "none" }),
  },
  "GET /metrics": { route: platform("metrics.read") },
  "GET /api/v1/openapi.json": { route: anything("api.read") },
  "GET /api/v1/platform": { route: anything("platform.read") },
  "GET /api/v1/audit": { route: list("audit.read"), query: "limit=200" },
  "GET /api/v1/audit/entries/:id": { route: found("audit.read", "audit.read"), path: byAuditEntry },
  "GET /api/v1/audit/entries/:id/proof": { route: found("audit.read", "audit.read"), path: byAuditEntry },
  "GET /api/v1/audit/export": { route: platform("audit.read"), query: "upTo=1" },
  "GET /api/v1/audit/tail": { route: platform("audit.read") },
  "GET /api/v1/audit/log": { route: platform("audit.read") },
  "POST /api/v1/audit/erase": {
    route: platform("audit.erase"),
    body: () => ({ person: "nobody@example.com" }),
  },
  "POST /api/v1/audit/archive": {
    route: platform("audit.archive"),
    body: () => ({ before: "2020-01-01T00:00:00Z" }),
  },
  "GET /audit/log/checkpoint": { route: platform("audit.read") },
  "GET /audit/log/tile/*": { route: platform("audit.read") },
  "GET /audit/log/vkey": { route: platform("audit.read") },
  "POST /audit/witness/add-checkpoint": {
    route: { about: "public" },
    bytes: { type: "text/plain", headers: {}, content: "old 0\n" },
  },
  "GET /.well-known/jwks.json": { route: { about: "public" } },
  "POST /api/v1/tokens": {
    route: named("api.read"),
    body: ({ environment, service }) => ({ permissions: ["api.read"], environment, service }),
  },
  "POST /api/v1/tokens/rotate": { route: platform("access.write"), body: () => ({}) },
  "GET /api/v1/problems": { route: list("problems.read", true) },
  "GET /api/v1/beat": { route: platform("channels.read") },
  "GET /api/v1/channels": { route: platform("channels.read") },
  "GET /api/v1/deliveries": { route: platform("channels.read") },
  "POST /api/v1/channels/:name/test": { route: platform("channels.write"), path: () => ({ name: "none" }) },
  "GET /api/v1/certificates": { route: platform("certificates.read") },
  "GET /api/v1/certificates/:host": {
    route: platform("certificates.read"),
    path: () => ({ host: "shop.example.com" }),
  },
  "POST /api/v1/certificates/:host/renew": {
    route: platform("certificates.write"),
    path: () => ({ host: "shop.example.com" }),
  },
  "POST /api/v1/certificates/reload": { route: platform("certificates.write") },

  "GET /api/v1/services": { route: list("services.read") },
  "GET /api/v1/instances": { route: list("services.read") },
  "GET /api/v1/instances/:id/logs": {
    route: found("services.read", "services.read"),
    path: ({ instance }) => ({ id: instance }),
  },
  "POST /api/v1/services/:service/maintenance": {
    route: named("services.write"),
    path: byTarget,
    body: ({ environment }) => ({ environment, on: true }),
  },
  "GET /api/v1/environments/:environment/services/:service/settings": {
    route: named("settings.read"),
    path: byTarget,
  },
  "POST /api/v1/environments/:environment/services/:service/settings": {
    route: named("settings.write"),
    path: byTarget,
    body: () => ({ env: { COLOUR: "green" } }),
  },
  "GET /api/v1/environments/:environment/services/:service/secrets": {
    route: named("settings.read"),
    path: byTarget,
  },
  "POST /api/v1/environments/:environment/services/:service/secrets/reveal": {
    route: named("secrets.reveal"),
    path: byTarget,
    body: () => ({ reason: "a look" }),
  },
  "GET /api/v1/secrets": { route: platform("secrets.read") },
  "POST /api/v1/secrets/rotations": {
    route: platform("secrets.rotate"),
    body: () => ({ kind: "data-keys" }),
  },
  "GET /api/v1/secrets/rotations/:id": { route: platform("secrets.read"), path: () => ({ id: "none" }) },

  "POST /api/v1/uploads": {
    route: anything("releases.write"),
    body: () => ({ sizeBytes: 10, sha256: "b".repeat(64) }),
  },
  "HEAD /api/v1/uploads/:id": {
    route: { about: "upload of another", permission: "releases.write" },
    path: ({ upload }) => ({ id: upload }),
  },
  "PATCH /api/v1/uploads/:id": {
    route: { about: "upload of another", permission: "releases.write" },
    path: ({ upload }) => ({ id: upload }),
    bytes: { type: "application/offset+octet-stream", headers: { "upload-offset": "0" }, content: "abc" },
  },
  "GET /api/v1/releases": { route: list("releases.read"), query: "limit=200" },
  "POST /api/v1/releases": {
    route: named("releases.write"),
    body: ({ directory, environment }) => ({ directory, environment }),
  },
  "POST /api/v1/releases/collect": { route: platform("releases.collect"), body: () => ({ dryRun: true }) },
  "GET /api/v1/releases/:id": { route: found("releases.read", "releases.read"), path: byRelease },
  "GET /api/v1/releases/:id/sbom": { route: found("releases.read", "releases.read"), path: byRelease },
  "GET /api/v1/releases/:id/diff": {
    route: found("releases.read", "releases.read"),
    path: byRelease,
    query: "from=:release",
  },
  "POST /api/v1/releases/:id/promote": {
    route: found("releases.write", "releases.read"),
    path: byRelease,
    body: ({ environment }) => ({ environment }),
  },
  "GET /api/v1/builds": { route: list("builds.read"), query: "limit=200" },
  "POST /api/v1/builds": {
    route: named("builds.write"),
    body: ({ source, environment }) => ({ directory: source, environment }),
  },
  "GET /api/v1/builds/:id": { route: found("builds.read", "builds.read"), path: byBuild },
  "GET /api/v1/builds/:id/output": { route: found("builds.read", "builds.read"), path: byBuild },
  "POST /api/v1/builds/:id/stop": {
    route: found("builds.write", "builds.read"),
    path: byBuild,
    body: () => ({}),
  },
  "GET /api/v1/tasks": { route: list("tasks.read"), query: "service=:service&environment=:environment" },
  "POST /api/v1/tasks": {
    route: named("tasks.write"),
    body: ({ service, environment }) => ({ service, environment, command: "true" }),
  },
  "GET /api/v1/tasks/:id": { route: found("tasks.read", "tasks.read"), path: byTask },
  "POST /api/v1/tasks/:id/stop": {
    route: found("tasks.write", "tasks.read"),
    path: byTask,
    body: () => ({}),
  },

  "GET /api/v1/metrics/capacity": readMetrics,
  "GET /api/v1/metrics/remote-write": readMetrics,
  "POST /api/v1/metrics": {
    route: platform("metrics.write"),
    body: () => ({ metrics: [{ name: "pushed", value: 1 }] }),
  },
  "POST /api/v1/metrics/import": { route: platform("metrics.write"), bytes: openMetrics },
  "POST /prometheus/api/v1/write": { route: platform("metrics.write"), bytes: protobuf },
  "POST /prometheus/api/v1/read": { ...readMetrics, bytes: protobuf },
  "POST /otlp/v1/metrics": { route: platform("metrics.write"), bytes: protobuf },
  "POST /prometheus/api/v1/otlp/v1/metrics": { route: platform("metrics.write"), bytes: protobuf },
  ...forEach(["query", "query_range", "query_exemplars", "format_query", "parse_query"], readingMetrics),
  ...forEach(["labels", "series"], readingMetrics),
  ...Object.fromEntries(
    [
      ...["api/v1/label/:name/values", "api/v1/metadata", "api/v1/targets", "api/v1/targets/metadata"],
      ...["api/v1/scrape_pools", "api/v1/rules", "api/v1/alerts", "api/v1/alertmanagers", "federate"],
      ...["config", "flags", "runtimeinfo", "buildinfo", "tsdb", "walreplay", "top_queries"].map(
        (name) => `api/v1/status/${name}`,
      ),
    ].map((url) => [`GET /prometheus/${url}`, { ...readMetrics, path: () => ({ name: "job" }) }]),
  ),
  ...forEach(["delete_series", "clean_tombstones", "snapshot"], (name) => ({
    [`POST /prometheus/api/v1/admin/tsdb/${name}`]: { route: platform("metrics.admin") },
    [`PUT /prometheus/api/v1/admin/tsdb/${name}`]: { route: platform("metrics.admin") },
  })),

  "GET /api/v1/changes": { route: list("changes.read"), query: "limit=200" },
  "POST /api/v1/changes": { route: found("changes.write", "releases.read"), body: candidate },
  "POST /api/v1/changes/forced": {
    route: found("changes.force", "releases.read"),
    body: (things) => ({ ...candidate(things), force: ["PREFLIGHT_MEMORY"] }),
  },
  "POST /api/v1/changes/preview": { route: found("changes.read", "releases.read"), body: candidate },
  "GET /api/v1/changes/:id": reading,
  "GET /api/v1/changes/:id/timeline": reading,
  "GET /api/v1/changes/:id/replay": reading,
  "GET /api/v1/changes/:id/report": reading,
  "GET /api/v1/changes/:id/watch": reading,
  "POST /api/v1/changes/:id/approve": approving,
  "POST /api/v1/changes/:id/reject": { ...approving, body: () => ({ reason: "too late" }) },
  "POST /api/v1/changes/:id/promote": steering,
  "POST /api/v1/changes/:id/promote-full": steering,
  "POST /api/v1/changes/:id/pause": steering,
  "POST /api/v1/changes/:id/resume": steering,
  "POST /api/v1/changes/:id/abort": steering,
  "POST /api/v1/changes/:id/finish": steering,
  "POST /api/v1/changes/:id/cancel": steering,
  "POST /api/v1/changes/:id/rollback": steering,

  "GET /api/v1/roles": { route: anything("access.read") },
  "GET /api/v1/roles/:name": { route: anything("access.read"), path: () => ({ name: "viewer" }) },
  "POST /api/v1/roles": {
    route: platform("access.write"),
    body: () => ({ name: "reader", permissions: ["api.read"] }),
  },
  "DELETE /api/v1/roles/:name": {
    route: platform("access.write"),
    path: () => ({ name: "spare" }),
    restore: "role",
  },
  "GET /api/v1/teams": { route: anything("access.read") },
  "GET /api/v1/teams/:name": { route: anything("access.read"), path: () => ({ name: "crew" }) },
  "POST /api/v1/teams": { route: platform("access.write"), body: () => ({ name: "night-shift" }) },
  "DELETE /api/v1/teams/:name": {
    route: platform("access.write"),
    path: () => ({ name: "crew" }),
    restore: "team",
  },
  "POST /api/v1/teams/:name/members": {
    route: platform("access.write"),
    path: () => ({ name: "crew" }),
    body: () => ({ user: "usr_1" }),
    restore: "team",
  },
  "DELETE /api/v1/teams/:name/members/:user": {
    route: platform("access.write"),
    path: () => ({ name: "crew", user: "usr_2" }),
    restore: "team",
  },
  "GET /api/v1/grants": { route: list("access.read") },
  "POST /api/v1/grants": {
    route: named("access.write"),
    body: ({ environment, service }) => ({
      subject: { type: "user", id: "usr_1" },
      ...{ role: "viewer", environment, service },
    }),
  },
  "DELETE /api/v1/grants/:id": {
    route: found("access.write", "access.read"),
    path: ({ grant }) => ({ id: grant }),
    restore: "grant",
  },
  "GET /api/v1/account": { route: anything("account.read") },
  "PATCH /api/v1/account": { route: anything("account.write"), body: () => ({ name: "Another" }) },
  "POST /api/v1/account/password": {
    route: anything("account.write"),
    body: () => ({ current: "x", password: "y" }),
  },
  "GET /api/v1/account/sessions": { route: anything("account.read") },
  "DELETE /api/v1/account/sessions/:id": { route: anything("account.write"), path: byNobody },
  "POST /api/v1/account/sessions/end-others": { route: anything("account.write") },
  "POST /api/v1/step-up": { route: anything("account.write"), body: () => ({ code: "123456" }) },
  "GET /api/v1/account/factors": { route: anything("account.read") },
  "POST /api/v1/account/factors/totp": { route: anything("account.write") },
  "POST /api/v1/account/factors/totp/confirm": {
    route: anything("account.write"),
    body: () => ({ code: "123456" }),
  },
  "DELETE /api/v1/account/factors/totp": { route: anything("account.write") },
  "POST /api/v1/account/factors/recovery-codes": { route: anything("account.write") },
  "POST /api/v1/account/passkeys/options": { route: anything("account.write") },
  "POST /api/v1/account/passkeys": {
    route: anything("account.write"),
    body: () => ({ challenge: "x", name: "laptop", response: { id: "x" } }),
  },
  "DELETE /api/v1/account/passkeys/:id": { route: anything("account.write"), path: byNobody },
  "GET /api/v1/users": { route: platform("users.read") },
  "POST /api/v1/users": {
    route: platform("users.write"),
    body: () => ({ email: "bob@example.com", name: "Bob", role: "viewer" }),
  },
  "GET /api/v1/users/:id": { route: platform("users.read"), path: byNobody },
  "DELETE /api/v1/users/:id": { route: platform("users.write"), path: byNobody },
  "POST /api/v1/users/:id/link": { route: platform("users.write"), path: byNobody },
  "POST /api/v1/users/:id/disable": { route: platform("users.write"), path: byNobody },
  "POST /api/v1/users/:id/enable": { route: platform("users.write"), path: byNobody },
  "GET /api/v1/users/:id/sessions": { route: platform("users.read"), path: byNobody },
  "POST /api/v1/users/:id/sessions/end": { route: platform("users.write"), path: byNobody },
  "GET /api/v1/keys": { route: anything("keys.read") },
  "POST /api/v1/keys": {
    route: named("keys.write"),
    body: ({ environment, service }) => ({
      name: "another",
      permissions: ["api.read"],
      ...{ environment, service },
    }),
  },
  "POST /api/v1/keys/:id/rotate": {
    route: { about: "key of another", permission: "keys.write" },
    path: byKey,
    body: () => ({}),
    restore: "key",
  },
  "POST /api/v1/keys/:id/revoke": {
    route: { about: "key of another", permission: "keys.write" },
    path: byKey,
    body: () => ({}),
    restore: "key",
  },
};
