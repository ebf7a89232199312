import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { BUILT_IN_ROLES, type NewKey, type Permission } from "@mainstay/api";
import type { DatabaseHandle } from "../../../server/src/kernel/database/index.ts";
import type { Asker, Place } from "./expectation.ts";

/** What a request can take away. */
export type Restorable = "grant" | "key" | "role" | "team";

/** One of everything that can be asked for, in one environment and service. */
export interface Things {
  environment: string;
  service: string;
  directory: string;
  source: string;
  release: string;
  change: string;
  task: string;
  build: string;
  instance: string;
  upload: string;
  grant: string;
  key: string;
  auditEntry: string;
}

/** Somebody, with the key they show. */
export interface Caller extends Asker {
  authorization: string | null;
}

/** Sends a request as the administrator and answers what came back. */
export type Ask = (method: string, url: string, body?: unknown) => Promise<{ [field: string]: unknown }>;

const SYSTEM = { type: "system", id: "mainstay", name: "Mainstay" };
const CUSTOM: readonly Permission[] = ["audit.read", "changes.read", "changes.steer"];
const OWN: Place = { environment: "staging", service: "shop" };
const PLACES: [string, Place][] = [
  ["everywhere", { environment: null, service: null }],
  ["for one service in one environment", OWN],
  ["for one environment", { environment: "production", service: null }],
  ["for one service", { environment: null, service: "billing" }],
];

/** Things of the service and environment that some may enter, made through the API as far as that goes. */
export async function makeThings(
  { ask, database, folder }: { ask: Ask; database: DatabaseHandle; folder: string },
  { environment, service }: { environment: string; service: string },
): Promise<Things> {
  const directory = path.join(folder, service);
  const source = path.join(folder, `${service}-source`);
  const file = (more: string) =>
    `service: ${service}\nprocesses:\n  web: { command: node server.js, port: auto, health: { path: /h } }\n${more}`;
  for (const [at, more] of [
    [directory, ""],
    [source, "build: { command: npm run build }\n"],
  ] as const) {
    await mkdir(at, { recursive: true });
    await writeFile(path.join(at, "mainstay.yaml"), file(more));
    await writeFile(path.join(at, "package-lock.json"), '{"name":"a","lockfileVersion":3,"packages":{}}');
  }
  const release = textOf(await ask("POST", "/releases", { directory, environment }), "id");
  const change = textOf(await ask("POST", "/changes", { candidate: release }), "id");
  const sha256 = service.length.toString(16).padStart(64, "a");
  const upload = textOf(await ask("POST", "/uploads", { sizeBytes: 10, sha256 }), "id");
  const [task, build, instance] = [`tsk_${service}`, `bld_${service}`, `ins_${service}`];
  const by = JSON.stringify(SYSTEM);
  await database.pool.query(
    `insert into services.tasks (id, service, environment, release, kind, attempt, command, timeout_ms, state,
       output, requested_by, created_at, finished_at)
     values ($1, $2, $3, $4, 'run', 1, 'true', 1000, 'succeeded', 'ok', $5, now(), now())`,
    [task, service, environment, release, by],
  );
  await database.pool.query(
    `insert into builds.builds (id, service, environment, source_digest, file, step, wish, state,
       output, requested_by, created_at, finished_at)
     values ($1, $2, $3, 'sha256:${"0".repeat(64)}', 'mainstay.yaml', '{"command": "true"}', '{}', 'failed',
       'ok', $4, now(), now())`,
    [build, service, environment, by],
  );
  await database.pool.query(
    `insert into services.instances (id, service, environment, release, process, ordinal, created_at)
     values ($1, $2, $3, $4, 'web', 1, now())`,
    [instance, service, environment, release],
  );
  const grant = textOf(
    await ask("POST", "/grants", {
      subject: { type: "user", id: "usr_9" },
      role: "viewer",
      environment,
      service,
    }),
    "id",
  );
  const made = await ask("POST", "/keys", {
    name: `of-${service}`,
    permissions: ["api.read"],
    environment,
    service,
  });
  const key = textOf(made["key"], "id");
  const { items } = await ask("GET", `/audit?service=${service}&environment=${environment}&limit=1`);
  const auditEntry = textOf(Array.isArray(items) ? items[0] : null, "id");
  return {
    environment,
    service,
    directory,
    source,
    release,
    change,
    task,
    build,
    instance,
    upload,
    grant,
    key,
    auditEntry,
  };
}

/** Everybody who asks: each role in each place, and credentials that are worth nothing. */
export async function makeCallers(ask: Ask, database: DatabaseHandle): Promise<Caller[]> {
  await ask("POST", "/roles", { name: "custom", permissions: CUSTOM });
  const callers: Caller[] = [];
  const keyOf = async (wish: Partial<NewKey> & { name: string }) => {
    // What a second factor would be asked for is let through: it is not what is looked at here.
    const made = await ask("POST", "/keys", { role: "admin", stepUpExempt: true, ...wish });
    return { id: textOf(made["key"], "id"), authorization: `Bearer ${textOf(made, "secret")}` };
  };
  for (const role of [...BUILT_IN_ROLES, "custom"] as const) {
    for (const [words, place] of PLACES) {
      const name = `${role}-${callers.length}`;
      const { authorization } = await keyOf({ name, role, ...place });
      const granted = { role: role === "custom" ? CUSTOM : role, place };
      callers.push({ name: `${role} ${words}`, granted, authorization });
    }
  }
  const expired = await keyOf({ name: "expired", expiresInSeconds: 60 });
  await database.pool.query(
    "update identity.api_keys set expires_at = now() - interval '1 s' where id = $1",
    [expired.id],
  );
  const elsewhere = await keyOf({ name: "elsewhere", allowedAddresses: ["192.0.2.0/24", "2001:db8::/32"] });
  const revoked = await keyOf({ name: "revoked" });
  await ask("POST", `/keys/${revoked.id}/revoke`, {});
  const worthless: [string, string | null][] = [
    ["nobody", null],
    ["an expired key", expired.authorization],
    ["a key from a foreign address", elsewhere.authorization],
    ["a revoked key", revoked.authorization],
    ["a mistyped key", `${elsewhere.authorization.slice(0, -1)}-`],
    ["a foreign token", "Bearer ghp_0123456789"],
  ];
  return [...callers, ...worthless.map(([name, authorization]) => ({ name, granted: null, authorization }))];
}

/** Brings back what a request has taken away. */
export async function restore(
  what: Restorable,
  { database, things }: { database: DatabaseHandle; things: Things },
): Promise<void> {
  const by = `'${JSON.stringify(SYSTEM)}'`;
  const { grant, environment, service, key } = things;
  const statements = {
    grant: `insert into identity.grants (id, subject_type, subject_id, role, environment, service, created_at,
      created_by) values ('${grant}', 'user', 'usr_9', 'viewer', '${environment}', '${service}', now(), ${by})
      on conflict do nothing`,
    key: `update identity.api_keys set revoked_at = null where id = '${key}'`,
    role: `insert into identity.roles values ('spare', '{api.read}', now(), ${by}) on conflict do nothing`,
    team: `insert into identity.teams values ('crew', now(), ${by}) on conflict do nothing;
      insert into identity.team_members values ('crew', 'usr_2', now()) on conflict do nothing`,
  };
  await database.pool.query(statements[what]);
}

function textOf(from: unknown, field: string): string {
  const value = typeof from === "object" && from !== null ? Object.entries(from) : [];
  const [, text] = value.find(([name]) => name === field) ?? [];
  if (typeof text !== "string") throw new Error(`${field} is missing in ${JSON.stringify(from)}`);
  return text;
}
