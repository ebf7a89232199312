import { AppError, BUCKETS, type ServiceFile } from "@mainstay/api";
import type { Audit } from "../audit/index.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { Database } from "../../kernel/database/index.ts";
import type { TypedEvents } from "../../kernel/events/index.ts";
import type { Ids } from "../../kernel/ids.ts";
import type { SecretsFile } from "./secrets-file.ts";
import type { Origin } from "../../kernel/http/index.ts";
import type { ReleaseRow, ServicesStore, Settings, Target } from "./store.ts";

/** What shall be different: a value, or null for a variable that shall not be set. */
export interface Alteration {
  env: Record<string, string | null>;
  secrets: Record<string, string | null>;
}

export interface SettingsDependencies {
  db: Database;
  clock: Clock;
  ids: Ids;
  audit: Audit;
  events: TypedEvents;
  store: ServicesStore;
  secrets: SecretsFile;
}

/** A service's configuration beyond its service file. It is part of a release, and comes back with it. */
export function createSettings({ db, clock, ids, audit, events, store, secrets }: SettingsDependencies) {
  /** The release that has the users, or is about to: what is set now is set on top of it. */
  async function serving(target: Target): Promise<ReleaseRow | null> {
    const row = await store.service(target);
    const id = row?.weight === BUCKETS ? row.candidate_release : row?.stable_release;
    return (id ? await store.release(id) : undefined) ?? null;
  }

  async function mustServe(target: Target): Promise<ReleaseRow> {
    const row = await serving(target);
    if (!row) throw new AppError("SERVICE_NOT_DEPLOYED", { ...target });
    return row;
  }

  /** The same code with another configuration, as a release of its own. */
  async function derive(target: Target, wish: Alteration, origin: Origin): Promise<ReleaseRow> {
    const base = await mustServe(target);
    const id = ids.next("rel");
    const row: ReleaseRow = {
      ...base,
      id,
      base: base.id,
      origin: base.origin ?? base.id,
      settings: merge(base.settings, wish),
      snapshot: alter(base.snapshot, wish),
      created_at: clock.now(),
      created_by: origin.actor,
    };
    const altersSecrets = Object.keys(wish.secrets).length > 0;
    if (altersSecrets) {
      const values = withAlterations(await secrets.all(target, base.secrets_version), wish.secrets);
      await secrets.write(target, id, values);
      row.secrets_version = id;
    }
    await register(row, wish, origin);
    if (altersSecrets) await secrets.prune(target, [base.secrets_version, id]);
    return row;
  }

  async function register(row: ReleaseRow, wish: Alteration, origin: Origin): Promise<void> {
    const { id, service, environment, digest, version } = row;
    await db.transaction().execute(async (tx) => {
      await store.insertRelease(tx, row);
      await audit.record(tx, {
        ...origin,
        service,
        environment,
        action: "services.settings_altered",
        resource: { type: "release", id },
        // Names alone: a value may be a secret even where nobody called it one.
        after: { base: row.base, env: namesOf(wish.env), secrets: namesOf(wish.secrets) },
      });
      const data = { service, environment, release: id, digest, version };
      await events.emit(tx, { type: "services.release_registered", subject: id, data });
    });
  }

  /** Values of secrets for a service of which nothing runs yet: its first release finds them. */
  async function prepareSecrets(target: Target, wish: Alteration["secrets"], origin: Origin): Promise<void> {
    const before = await secrets.all(target, null);
    await secrets.write(target, null, withAlterations(before, wish));
    await db.transaction().execute((tx) =>
      audit.record(tx, {
        ...origin,
        ...target,
        action: "services.settings_altered",
        resource: { type: "service", id: `${target.environment}/${target.service}` },
        after: { secrets: namesOf(wish) },
      }),
    );
  }

  return { serving, mustServe, derive, prepareSecrets };
}
export type SettingsOfServices = ReturnType<typeof createSettings>;

/** Settings in force, laid over what a service file says. */
export function applySettings(file: ServiceFile, { env, secrets }: Settings): ServiceFile {
  return {
    ...file,
    env: withAlterations(file.env, env),
    secrets: [...new Set([...file.secrets, ...secrets])],
  };
}

function alter(file: ServiceFile, { env, secrets }: Alteration): ServiceFile {
  const added = namesOf(secrets).filter((name) => secrets[name] !== null);
  const kept = file.secrets.filter((name) => secrets[name] !== null);
  return { ...file, env: withAlterations(file.env, env), secrets: [...new Set([...kept, ...added])] };
}

function merge(before: Settings, { env, secrets }: Alteration): Settings {
  const kept = before.secrets.filter((name) => secrets[name] !== null);
  const added = namesOf(secrets).filter((name) => secrets[name] !== null);
  return { env: { ...before.env, ...env }, secrets: [...new Set([...kept, ...added])] };
}

function withAlterations(
  before: Record<string, string>,
  wish: Record<string, string | null>,
): Record<string, string> {
  const merged = Object.entries({ ...before, ...wish });
  return Object.fromEntries(merged.flatMap(([name, value]) => (value === null ? [] : [[name, value]])));
}

function namesOf(record: Record<string, unknown>): string[] {
  return Object.keys(record);
}
