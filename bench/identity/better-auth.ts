import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import type { Pool } from "pg";

export const VERSION = "1.7.25";
const PACKAGES = [`better-auth@${VERSION}`, "@better-auth/passkey@1.7.6", "@better-auth/api-key@1.7.5"];
/** Its passkey plugin asks for another version of a helper than its core does. */
const FLAGS = ["--legacy-peer-deps", "--ignore-scripts", "--no-audit", "--no-fund", "--no-save"];

const INSTALL_MS = 5 * 60_000;

/** What the comparison uses of it. */
export interface BetterAuth {
  handler(request: Request): Promise<Response>;
  api: {
    createApiKey(wish: { body: object }): Promise<{ id: string; key: string }>;
    verifyApiKey(wish: { body: { key: string } }): Promise<{ valid: boolean }>;
    verifyJWT(wish: { body: { token: string } }): Promise<{ payload: object | null }>;
  };
}

export interface Peer {
  migrate(pool: Pool): Promise<void>;
  open(pool: Pool): BetterAuth;
}

/** Installs it into a folder of its own with npm; throws where that is not possible. */
export async function installBetterAuth(folder: string, origin: string): Promise<Peer> {
  await promisify(execFile)("npm", ["install", "--prefix", folder, ...FLAGS, ...PACKAGES], {
    timeout: INSTALL_MS,
  });
  const load = (file: string) => import(pathToFileURL(join(folder, "node_modules", file)).href);
  const core = await load("better-auth/dist/index.mjs");
  const plugins = await load("better-auth/dist/plugins/index.mjs");
  const { apiKey } = await load("@better-auth/api-key/dist/index.mjs");
  const { passkey } = await load("@better-auth/passkey/dist/index.mjs");
  const { getMigrations } = await load("better-auth/dist/db/get-migration.mjs");
  const secret = randomBytes(32).toString("base64url");

  const settings = (pool: Pool) => ({
    database: pool,
    baseURL: origin,
    secret,
    emailAndPassword: { enabled: true },
    // As in production; in the database, so that no attack counts against another one.
    rateLimit: { enabled: true, storage: "database" },
    logger: { disabled: true },
    telemetry: { enabled: false },
    plugins: [
      plugins.twoFactor(),
      plugins.jwt(),
      apiKey(),
      passkey({ rpID: new URL(origin).hostname, rpName: "peer", origin }),
    ],
  });
  return {
    async migrate(pool) {
      const { runMigrations } = await getMigrations(settings(pool));
      await runMigrations();
    },
    open: (pool) => core.betterAuth(settings(pool)),
  };
}
