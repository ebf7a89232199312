import { AppError } from "@mainstay/api";
import pg from "pg";
import { unreachable } from "./errors.ts";
import { isTransactionPooled } from "./pooler.ts";

/** A PostgreSQL that somebody else runs. */
export interface Server {
  connection: pg.ClientConfig;
  /** Where it is, without a secret. */
  description: string;
  /** As the server says it. */
  version: string;
}

const TIMEOUT_MS = 5_000;
/** As server_version_num has it. */
const OLDEST_VERSION = 150_000;

/**
 * The server of a DATABASE_URL, after a look whether it
 * can be used: reachable, new enough, sessions that last.
 */
export async function checkServer(url: string): Promise<Server> {
  const { host, port, database, password } = parse(url);
  const clients = [createClient(url), createClient(url)] as const;
  try {
    await Promise.all(clients.map((client) => client.connect()));
    const version = await checkVersion(clients[0]);
    if (await isTransactionPooled(...clients)) throw new AppError("DATABASE_POOLER");
    const description = `PostgreSQL at ${host}:${port}/${database}`;
    return { connection: { connectionString: url }, description, version };
  } catch (error) {
    throw error instanceof AppError ? error : unreachable(error, password ?? null);
  } finally {
    await Promise.all(clients.map((client) => client.end().catch(() => {})));
  }
}

function parse(url: string): pg.Client {
  const reason = "DATABASE_URL is not of the form postgres://user@host/database";
  if (!/^postgres(ql)?:\/\//.test(url)) throw new AppError("DATABASE_UNREACHABLE", { reason });
  try {
    return new pg.Client({ connectionString: url });
  } catch {
    // Not as the cause: what failed to parse may hold the password.
    throw new AppError("DATABASE_UNREACHABLE", { reason });
  }
}

function createClient(url: string): pg.Client {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: TIMEOUT_MS,
    query_timeout: TIMEOUT_MS,
    application_name: "mainstay check",
  });
  // A connection cut between two statements fails the next one, which says so.
  client.on("error", () => {});
  return client;
}

async function checkVersion(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ number: string; text: string }>(
    "select current_setting('server_version_num') as number, current_setting('server_version') as text",
  );
  const { number, text } = rows[0] ?? { number: "0", text: "of an unknown version" };
  if (Number(number) < OLDEST_VERSION) throw new AppError("DATABASE_TOO_OLD", { version: text });
  return text;
}
