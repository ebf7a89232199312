import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import path from "node:path";

/** Where the command line on this machine finds the link that makes the first admin. */
export function setupLinkFile(dataDirectory: string): string {
  return path.join(dataDirectory, "keys", "setup.link");
}

/** Writes the link for the account of the server alone, whole or not at all. */
export async function writeSetupLink(dataDirectory: string, link: string): Promise<void> {
  const file = setupLinkFile(dataDirectory);
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  const partial = `${file}.new`;
  const handle = await open(partial, "w", 0o600);
  try {
    await handle.chmod(0o600);
    await handle.writeFile(`${link}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(partial, file);
}

/** The link that lies there; null without one. */
export function readSetupLink(dataDirectory: string): Promise<string | null> {
  return readFile(setupLinkFile(dataDirectory), "utf8").then(
    (text) => text.trim(),
    () => null,
  );
}

export async function removeSetupLink(dataDirectory: string): Promise<void> {
  await rm(setupLinkFile(dataDirectory), { force: true });
}

/** The token of a link, or of the bare token. It stands behind the #, which no browser sends to a server. */
export function tokenOfLink(link: string): string {
  return link.trim().split("#").at(-1) ?? "";
}

/** A link to the page that redeems it. */
export function linkTo(publicUrl: string, token: string): string {
  return `${publicUrl}/setup#${token}`;
}
