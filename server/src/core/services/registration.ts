import type { Audit } from "../audit/index.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { Database, Tx } from "../../kernel/database/index.ts";
import type { TypedEvents } from "../../kernel/events/index.ts";
import type { Ids } from "../../kernel/ids.ts";
import type { NewRelease, TakenIn } from "./intake.ts";
import type { Origin } from "../../kernel/http/index.ts";
import { applySettings, type SettingsOfServices } from "./settings.ts";
import type { Signatures } from "./signatures.ts";
import type { ReleaseRow, ServicesStore } from "./store.ts";

interface Incoming extends TakenIn, Pick<NewRelease, "env" | "file" | "signature"> {
  /** The release whose files these are, in another environment. */
  promotes?: string | undefined;
  /** What is written in the same transaction. */
  within?: ((tx: Tx, release: ReleaseRow) => Promise<void>) | undefined;
}

export interface RegistrationDependencies {
  db: Database;
  clock: Clock;
  ids: Ids;
  audit: Audit;
  events: TypedEvents;
  store: ServicesStore;
  signatures: Signatures;
  settings: Pick<SettingsOfServices, "serving">;
}

/** Makes a release of files that were taken in, with the settings in force laid over what they say. */
export function createRegistration(dependencies: RegistrationDependencies) {
  const { db, clock, ids, audit, events, store, settings, signatures } = dependencies;

  return async function record(taken: Incoming, origin: Origin): Promise<ReleaseRow> {
    const { snapshot, env, file, stored, contents, promotes, built, signature = null } = taken;
    const { build = null, sourceDigest: source_digest = null } = built ?? {};
    signatures.mustStand({ digest: stored.digest, source_digest, signature });
    const now = clock.now();
    const target = { service: snapshot.service, environment: snapshot.environment };
    const before = await settings.serving(target);
    const inForce = before?.settings ?? { env: {}, secrets: [] };
    const set = applySettings(snapshot, inForce);
    const row: ReleaseRow = {
      id: ids.next("rel"),
      ...target,
      digest: stored.digest,
      build,
      source_digest,
      version: stored.version,
      directory: stored.directory,
      signature,
      file,
      snapshot: { ...set, env: { ...set.env, ...env } },
      ...{ base: null, origin: null, settings: inForce },
      secrets_version: before?.secrets_version ?? null,
      created_at: now,
      created_by: origin.actor,
      collected_at: null,
    };
    await db.transaction().execute(async (tx) => {
      await store.ensureService(tx, target, now);
      await store.insertRelease(tx, row);
      await store.saveContents(tx, contents);
      const facts = { digest: row.digest, version: row.version };
      const from = promotes ? { promotedFrom: promotes } : {};
      await audit.record(tx, {
        ...origin,
        ...target,
        action: "services.release_registered",
        resource: { type: "release", id: row.id },
        after: { ...facts, ...from, ...built },
      });
      await taken.within?.(tx, row);
      await events.emit(tx, {
        type: "services.release_registered",
        subject: row.id,
        data: { ...target, release: row.id, ...facts },
      });
    });
    return row;
  };
}
export type RecordRelease = ReturnType<typeof createRegistration>;
