import { randomBytes } from "node:crypto";
import { text } from "node:stream/consumers";
import { AppError, identity as identityConfig } from "@mainstay/api";
import { z } from "zod";
import { createAudit } from "./core/audit/index.ts";
import { createIdentity } from "./core/identity/index.ts";
import type { Sealer } from "./core/secrets/index.ts";
import { createSystemClock } from "./kernel/clock.ts";
import { openDatabase } from "./kernel/database/index.ts";
import { createIds } from "./kernel/ids.ts";
import { createLog } from "./kernel/log.ts";
import { createMetrics } from "./kernel/metrics.ts";

/**
 * `node break-glass.ts`, the request below on its standard input: one JSON document with a one-time link.
 * It works through the database alone, so that it needs no login; whoever may open the database may run it.
 */
const request = z.object({
  databaseUrl: z.string(),
  dataDirectory: z.string(),
  publicUrl: z.string(),
  linkExpiryMs: z.number(),
  /** The address of who begins anew; null for another administrator. */
  email: z.string().nullable(),
  /** The account on the machine that asks, for the audit log. */
  account: z.string(),
});

/** Factors are taken away here, never read: the keys are not needed, and may be what was lost. */
const NOTHING_SEALED: Sealer = { seal: refuse, open: refuse };

function refuse(): never {
  throw new Error("nothing is sealed or opened here");
}

try {
  const asked = request.parse(JSON.parse(await text(process.stdin)));
  process.stdout.write(JSON.stringify({ ok: true, ...(await breakGlass(asked)) }));
} catch (error) {
  if (!(error instanceof AppError)) throw error;
  process.stdout.write(JSON.stringify({ ok: false, message: error.message, remedy: error.remedy }));
}

/** A link is all that is made here: no second factor is read or written. */
async function breakGlass(asked: z.output<typeof request>) {
  const { dataDirectory, publicUrl } = asked;
  const clock = createSystemClock();
  const log = createLog({ clock, level: "error", format: "json" });
  const place = { dataDirectory, runtimeDirectory: dataDirectory, log, clock };
  const database = await openDatabase({ url: asked.databaseUrl, ...place });
  try {
    const { db, listen } = database;
    const ids = createIds({ clock, random: randomBytes });
    const { accounts } = createIdentity({
      ...{ db, listen, clock, ids, log, random: randomBytes, dataDirectory, publicUrl, publicHost: null },
      audit: createAudit({ db, clock, ids }),
      metrics: createMetrics({ clock, log }),
      config: { ...identityConfig.parse({}), linkExpiry: asked.linkExpiryMs },
      sealer: NOTHING_SEALED,
      readSecret: () => Promise.reject(new Error("there is no secret to be read here")),
    });
    const actor = { type: "machine", id: asked.account, name: `${asked.account} on the server's machine` };
    return await accounts.breakGlass(asked.email, { actor, requestId: null, address: null });
  } finally {
    await database.close();
  }
}
