import { sql } from "kysely";
import type { MetricFamily, MetricSample } from "../metrics.ts";
import type { Database } from "./open-database.ts";

/** PostgreSQL's own counters of the one database that is ours. */
interface Figures {
  /** A row of pg_stat_database. */
  database: Record<string, number>;
  sizeBytes: number;
  connectionsMax: number;
  startedAtSeconds: number;
  walBytes: number;
  walRecords: number;
  activity: { state: string; count: number }[];
  locks: { mode: string; count: number }[];
}

/** Columns of pg_stat_database that count up, by what they count. */
const COUNTERS: Record<string, string> = {
  xact_commit: "Transactions that were committed.",
  xact_rollback: "Transactions that were rolled back.",
  blks_read: "Blocks that were read from outside of PostgreSQL's memory.",
  blks_hit: "Blocks that were found in PostgreSQL's memory.",
  tup_returned: "Rows that scans went over.",
  tup_fetched: "Rows that were fetched by an index.",
  tup_inserted: "Rows that were inserted.",
  tup_updated: "Rows that were updated.",
  tup_deleted: "Rows that were deleted.",
  deadlocks: "Transactions that were ended because each waited for the other.",
  temp_bytes: "What queries wrote to temporary files.",
};

const QUERY = sql<{ figures: Figures }>`
  select json_build_object(
    'database', (select row_to_json(each) from (
      select numbackends, ${sql.join(Object.keys(COUNTERS).map((name) => sql.ref(name)))}
      from pg_stat_database where datname = current_database()) each),
    'sizeBytes', pg_database_size(current_database()),
    'connectionsMax', current_setting('max_connections')::int,
    'startedAtSeconds', extract(epoch from pg_postmaster_start_time()),
    'walBytes', (select wal_bytes from pg_stat_wal),
    'walRecords', (select wal_records from pg_stat_wal),
    'activity', (select coalesce(json_agg(each), '[]') from (
      select coalesce(state, 'unknown') as state, count(*)
      from pg_stat_activity where datname = current_database() group by 1) each),
    'locks', (select coalesce(json_agg(each), '[]') from (
      select mode, count(*) from pg_locks
      where database = (select oid from pg_database where datname = current_database()) group by 1) each)
  ) as figures`;

/** What our database does, for /metrics; one query. */
export async function databaseMetrics(db: Database): Promise<MetricFamily[]> {
  const { rows } = await QUERY.execute(db);
  const figures = rows[0]?.figures;
  return figures ? describe(figures) : [];
}

function describe(figures: Figures): MetricFamily[] {
  const { database, sizeBytes, connectionsMax, startedAtSeconds, walBytes, walRecords } = figures;
  const counter = (name: string, help: string, value: number): MetricFamily => ({
    ...{ name: `mainstay_postgres_${name}_total`, help, type: "counter" },
    samples: [{ labels: {}, value }],
  });
  const gauge = (name: string, help: string, samples: MetricSample[] | number): MetricFamily => ({
    ...{ name: `mainstay_postgres_${name}`, help, type: "gauge" },
    samples: typeof samples === "number" ? [{ labels: {}, value: samples }] : samples,
  });
  return [
    gauge("stat_database_numbackends", "Connections to the database.", database["numbackends"] ?? NaN),
    ...Object.entries(COUNTERS).map(([name, help]) =>
      counter(`stat_database_${name}`, help, database[name] ?? NaN),
    ),
    gauge("database_size_bytes", "What the database takes on the disk.", sizeBytes),
    gauge("settings_max_connections", "How many connections there may be.", connectionsMax),
    gauge("start_time_seconds", "When PostgreSQL began, in seconds since 1970.", startedAtSeconds),
    counter("stat_wal_bytes", "What was written to the log of the whole server.", walBytes),
    counter("stat_wal_records", "Records that were written to the log of the whole server.", walRecords),
    gauge("stat_activity_count", "Connections by what they do.", byLabel("state", figures.activity)),
    gauge("locks_count", "Locks by their mode.", byLabel("mode", figures.locks)),
  ];
}

function byLabel<Name extends string>(
  name: Name,
  rows: ({ count: number } & Record<Name, string>)[],
): MetricSample[] {
  return rows.map((row) => ({ labels: { [name]: row[name] }, value: row.count }));
}
