import { mkdir, open, readFile, rename, stat } from "node:fs/promises";
import { homedir } from "node:os";
import path from "node:path";
import { describeIssues, explain } from "@mainstay/api";
import { z } from "zod";
import { CliError, EXIT } from "./cli-error.ts";

/** The name that stands for the platform on this machine. */
export const LOCAL = "local";

const remoteName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,40}$/i, "expected letters, digits, dots and dashes (at most 41)")
  .refine((name) => name !== LOCAL, `"${LOCAL}" stands for the platform on this machine`);

/** A key of null: whoever uses it logs in. */
const remote = z.strictObject({ url: z.string(), key: z.string().nullable() });
/** A login of this account, and the token that makes this machine known to the server. */
const login = z.strictObject({ email: z.string(), token: z.string().nullable(), device: z.string().nullable() });
const remotesFile = z.strictObject({
  default: z.string().nullable(),
  remotes: z.record(remoteName, remote),
  /** By the address of the server. */
  logins: z.record(z.string(), login).default({}),
});
export type Remote = z.infer<typeof remote>;
export type StoredLogin = z.infer<typeof login>;
export type Remotes = z.infer<typeof remotesFile>;

const NONE: Remotes = { default: null, remotes: {}, logins: {} };

/** `~/.config/mainstay/remotes.json`: servers with keys and logins, for the eyes of this account alone. */
export function remotesPath(env: NodeJS.ProcessEnv): string {
  const configured = env["XDG_CONFIG_HOME"];
  return path.join(configured || path.join(env["HOME"] ?? homedir(), ".config"), "mainstay", "remotes.json");
}

/** Everything that `mainstay remote` has stored. Refuses a file that other accounts may read. */
export async function readRemotes(file: string): Promise<Remotes> {
  const stats = await stat(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return null;
    throw error;
  });
  if (stats === null) return NONE;
  if ((stats.mode & 0o077) !== 0)
    throw new CliError(`${file} holds keys, and other accounts may read it`, EXIT.usage, `chmod 600 ${file}`);
  const parsed = remotesFile.safeParse(parseJson(await readFile(file, "utf8")), { error: explain });
  if (parsed.success) return parsed.data;
  const where = describeIssues(parsed.error, remotesFile).map((each) => `${each.path}: ${each.message}`);
  const remedy = "Mend it, or remove it and add the remotes again.";
  throw new CliError(`${file} is not a list of remotes: ${where.join("; ")}`, EXIT.usage, remedy);
}

/** Replaces the file as a whole, readable by this account only. */
export async function writeRemotes(file: string, remotes: Remotes): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${file}.${process.pid}.new`;
  const handle = await open(draft, "w", 0o600);
  try {
    await handle.writeFile(`${JSON.stringify(remotes, null, 2)}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(draft, file);
}

/** The name if it can be one; throws what is wrong with it otherwise. */
export function checkRemoteName(name: string): string {
  const parsed = remoteName.safeParse(name);
  if (parsed.success) return parsed.data;
  throw new CliError(
    `"${name}" cannot be the name of a remote: ${parsed.error.issues[0]?.message}`,
    EXIT.usage,
  );
}

/** A stored remote; throws for a name that is not there. */
export function remoteNamed({ remotes }: Remotes, name: string): Remote {
  const found = Object.hasOwn(remotes, name) ? remotes[name] : undefined;
  if (found) return found;
  const known = Object.keys(remotes).join(", ") || "none yet";
  throw new CliError(
    `there is no remote ${name}`,
    EXIT.usage,
    `Known: ${known}. Add one: mainstay remote add`,
  );
}

/** The login that is stored for a server. */
export function loginAt({ logins }: Remotes, url: string): StoredLogin | null {
  return (Object.hasOwn(logins, url) ? logins[url] : null) ?? null;
}

/** Alters the login that is stored for a server; null forgets it. */
export async function storeLogin(file: string, url: string, stored: StoredLogin | null): Promise<void> {
  const before = await readRemotes(file);
  const { [url]: _before, ...others } = before.logins;
  await writeRemotes(file, { ...before, logins: stored === null ? others : { ...others, [url]: stored } });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
