import { text } from "node:stream/consumers";
import { AppError } from "@mainstay/api";
import { checkServer } from "./kernel/database/index.ts";

/**
 * `node check-database.ts`, a URL on its standard input: one JSON document
 * on whether that PostgreSQL can be used. A process of its own, so that it
 * can run as the account that will use it: a UNIX socket asks who is there.
 */
try {
  const { description, version } = await checkServer((await text(process.stdin)).trim());
  process.stdout.write(JSON.stringify({ ok: true, facts: `${description}, version ${version}` }));
} catch (error) {
  if (!(error instanceof AppError)) throw error;
  process.stdout.write(JSON.stringify({ ok: false, facts: error.message, remedy: error.remedy }));
}
