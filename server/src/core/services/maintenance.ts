import type { Audit } from "../audit/index.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { Database } from "../../kernel/database/index.ts";
import type { Origin } from "../../kernel/http/index.ts";
import type { ServicesStore, ServiceRow, Target } from "./store.ts";
import { unknownService } from "./unknown-service.ts";

export interface MaintenanceDependencies {
  db: Database;
  clock: Clock;
  audit: Audit;
  store: ServicesStore;
}

/** Turns the maintenance page on (visitors are told when to come back) or off (null). */
export function createMaintenance({ db, clock, audit, store }: MaintenanceDependencies) {
  return async function setMaintenance(
    target: Target,
    wish: { retryAfterMs: number | null; reason: string | null },
    origin: Origin,
  ): Promise<ServiceRow> {
    const { retryAfterMs, reason } = wish;
    await db.transaction().execute(async (tx) => {
      const before = await store.lockService(tx, target);
      if (!before) throw unknownService(target);
      if (before.maintenance_retry_after_ms === retryAfterMs) return;
      const patch = { maintenance_retry_after_ms: retryAfterMs, updated_at: clock.now() };
      await store.updateService(target, patch, tx);
      await audit.record(tx, {
        ...origin,
        ...target,
        action: `services.maintenance_${retryAfterMs === null ? "ended" : "begun"}`,
        resource: { type: "service", id: `${target.environment}/${target.service}` },
        before: { retryAfterMs: before.maintenance_retry_after_ms },
        after: { retryAfterMs },
        reason,
      });
    });
    const row = await store.service(target);
    if (!row) throw unknownService(target);
    return row;
  };
}
