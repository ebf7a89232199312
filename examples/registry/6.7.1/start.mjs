/** Starts verdaccio on 127.0.0.1:$PORT with its packages below $STORAGE, and stops it when asked to. */
import { mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runServer } from "verdaccio";

const port = Number(process.env.PORT ?? 4873);
// Both releases of a rollout must find the same packages: the default is one place for all of a user's.
const storage = process.env.STORAGE ?? join(tmpdir(), `mainstay-example-registry-${process.getuid()}`);

mkdirSync(storage, { recursive: true, mode: 0o700 });
process.env.VERDACCIO_STORAGE_PATH = storage;

const server = await runServer(join(import.meta.dirname, "config.yaml"), { listenArg: `127.0.0.1:${port}` });
server.listen(port, "127.0.0.1");

// Answers what was already asked, takes nothing new, and ends.
process.once("SIGTERM", () => server.close(() => process.exit(0)));
