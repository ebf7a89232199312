import { AppError } from "@mainstay/api";
import type { Clock } from "../../kernel/clock.ts";
import type { Database, Tx } from "../../kernel/database/index.ts";
import type { Ids } from "../../kernel/ids.ts";
import type { Sealer } from "../secrets/index.ts";
import type { Origin } from "../../kernel/http/index.ts";
import { createSecretsStore } from "./secrets-store.ts";
import type { ReleaseRow, Target } from "./store.ts";

export type SecretValues = Record<string, string>;

export interface NewVersion {
  /** Null: one of its own. */
  id?: string;
  values: SecretValues;
  changed: string[];
  by: Origin["actor"];
}

/** So many earlier versions stay, whether a release names them or not. */
const VERSIONS_KEPT = 10;

const TABLE = "services.secret_versions";
const COLUMN = "sealed_values";
/** Where core/secrets finds what is sealed here. */
export const SEALED_SECRETS = { table: TABLE, column: COLUMN, key: "id" };

export interface SecretsDependencies {
  db: Database;
  clock: Clock;
  ids: Ids;
  sealer: Sealer;
}

/**
 * The values of services' secrets: one sealed object for each version. A version never changes; a release
 * names the one it uses.
 */
export function createSecrets({ db, clock, ids, sealer }: SecretsDependencies) {
  const store = createSecretsStore(db);

  /** Every value of a version; none for a release that names no version. */
  async function all(version: string | null): Promise<SecretValues> {
    if (version === null) return {};
    const row = await store.version(version);
    if (!row) throw new AppError("NOT_FOUND", { what: `version ${version} of the secrets` });
    const text = Buffer.from(sealer.open([TABLE, COLUMN, version], row.sealed_values)).toString();
    return parseValues(text);
  }

  /** The values that a release asks for. Throws SECRET_MISSING; no message ever holds a value. */
  async function read(release: ReleaseRow): Promise<SecretValues> {
    const { snapshot, service, environment, secrets_version: version } = release;
    const wanted = snapshot.secrets;
    if (wanted.length === 0) return {};
    const values = await all(version);
    const missing = wanted.filter((name) => values[name] === undefined);
    if (missing.length > 0)
      throw new AppError("SECRET_MISSING", { names: missing.join(", "), service, environment });
    return Object.fromEntries(wanted.map((name) => [name, values[name] ?? ""]));
  }

  /**
   * Every name that has a value; none when the version cannot be read, which `read` tells whoever needs it.
   */
  async function names({ secrets_version: version }: ReleaseRow): Promise<string[]> {
    return version === null ? [] : ((await store.version(version))?.names ?? []);
  }

  /** Keeps a version, in the transaction of what names it; answers its id. */
  async function write(tx: Tx, target: Target, { values, changed, by, id }: NewVersion): Promise<string> {
    const version = id ?? ids.next("sec");
    const sealed = sealer.seal([TABLE, COLUMN, version], Buffer.from(JSON.stringify(values)));
    await store.lock(target, tx);
    await store.insert(tx, {
      id: version,
      service: target.service,
      environment: target.environment,
      names: Object.keys(values).toSorted(),
      changed: changed.toSorted(),
      sealed_values: Buffer.from(sealed),
      created_at: clock.now(),
      created_by: by,
    });
    await store.prune(tx, target, VERSIONS_KEPT);
    return version;
  }

  return {
    ...{ all, read, names, write },
    /** What a first release finds: values may be there before it. */
    latest: async (target: Target) => (await store.latest(target))?.id ?? null,
    versions: store.versions,
    users: store.users,
    adopt: store.adopt,
  };
}
export type Secrets = ReturnType<typeof createSecrets>;

function parseValues(text: string): SecretValues {
  const values: unknown = JSON.parse(text);
  if (typeof values !== "object" || values === null) throw new Error("a version of secrets is no object");
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]));
}
