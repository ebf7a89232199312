import type { EnteredResource } from "@mainstay/api";
import type { Context } from "../context.ts";
import { loginAt, readRemotes, remotesPath, storeLogin, type StoredLogin } from "../remotes.ts";

const file = () => remotesPath(process.env);

/** What is stored of a login at the server that is spoken to. */
export async function storedLogin({ server }: Context): Promise<StoredLogin | null> {
  return loginAt(await readRemotes(file()), server.url);
}

/** Keeps the session for the commands that follow, and the device for the next login. */
export async function keepLogin(context: Context, entered: EnteredResource): Promise<void> {
  const before = await storedLogin(context);
  await storeLogin(file(), context.server.url, {
    email: entered.user.email,
    token: entered.token,
    device: entered.device ?? before?.device ?? null,
  });
}

/** The session's token from now on; null ends it, and keeps what makes this machine known. */
export async function renewToken(url: string, token: string | null): Promise<void> {
  const before = loginAt(await readRemotes(file()), url);
  if (before) await storeLogin(file(), url, { ...before, token });
}
