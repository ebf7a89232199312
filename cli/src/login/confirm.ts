import type { AccountResource, StepUpResource } from "@mainstay/api";
import { createApiClient, type ApiClient } from "../api-client.ts";
import { createSecretLines, type SecretLines } from "../secret-lines.ts";
import type { ServerChoice } from "../server-choice.ts";
import { renewToken } from "./stored-login.ts";

/** Asks for what this account confirms itself with, and steps the session up; it has a new token then. */
export async function confirmIdentity(api: ApiClient, lines: SecretLines): Promise<StepUpResource> {
  const { factors } = await api.get<AccountResource>("/account");
  const hasFactor = factors.totp || factors.passkeys.length > 0;
  const answer = hasFactor
    ? { code: await lines.secret("Code of your authenticator app, or a recovery code: ") }
    : { password: await lines.secret("Your password once more: ") };
  const confirmed = await api.post<StepUpResource>("/step-up", answer);
  if (confirmed.token !== null) await renewToken(api.url, confirmed.token);
  for (const note of confirmed.notes) process.stderr.write(`${note}\n`);
  return confirmed;
}

/** For the API client: null where nobody can be asked. */
export function stepUpFor({ url, token }: ServerChoice): () => Promise<string | null> {
  return async () => {
    if (!process.stdin.isTTY || !process.stderr.isTTY || token === null || !token.startsWith("ms_")) return null;
    process.stderr.write("This needs a fresh confirmation that it is you.\n");
    return (await confirmIdentity(createApiClient({ url, token }), createSecretLines())).token;
  };
}
