import { sql } from "kysely";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openTestDatabase } from "../../../../tests/support/database.ts";
import type { MetricFamily } from "../metrics.ts";
import { databaseMetrics, type DatabaseHandle } from "./index.ts";

let database: DatabaseHandle;
beforeAll(async () => {
  database = await openTestDatabase({ isEmpty: true });
});
afterAll(() => database.close());

const samplesOf = (families: MetricFamily[], name: string) =>
  families.find((family) => family.name === `mainstay_postgres_${name}`)?.samples ?? [];
const valueOf = (families: MetricFamily[], name: string) => samplesOf(families, name)[0]?.value;

test("PostgreSQL tells what it does in our database", async () => {
  await sql`create table things (id int)`.execute(database.db);
  const families = await database.db.transaction().execute(async (tx) => {
    await sql`lock table things in access exclusive mode`.execute(tx);
    return databaseMetrics(database.db);
  });
  for (const { name, samples } of families) {
    for (const { value } of samples) expect(value, name).toBeGreaterThanOrEqual(0);
    expect(samples, name).not.toEqual([]);
  }
  expect(valueOf(families, "stat_database_numbackends")).toBeGreaterThanOrEqual(2);
  expect(valueOf(families, "database_size_bytes")).toBeGreaterThan(1_000_000);
  expect(samplesOf(families, "stat_activity_count")).toContainEqual({
    labels: { state: "idle in transaction" },
    value: 1,
  });
  expect(samplesOf(families, "locks_count")).toContainEqual({
    labels: { mode: "AccessExclusiveLock" },
    value: 1,
  });
});
