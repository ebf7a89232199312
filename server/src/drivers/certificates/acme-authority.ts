import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { Agent, get } from "node:https";
import { rootCertificates } from "node:tls";
import type { PlatformConfig } from "@mainstay/api";
import type { Client } from "acme-client";
import type { Authority, Issued } from "./authority.ts";
import type { PrivateFiles } from "./private-files.ts";

const ACCOUNT_KEY = "acme-account.key";
/** The authority is asked at these pauses whether it has looked. */
const POLL = { backoffAttempts: 20, backoffMin: 500, backoffMax: 10_000 };
const REQUEST_TIMEOUT_MS = 30_000;
/** Of a request that got no answer, 429 or 5xx; after that the whole order is repeated, much later. */
const REPEAT = { retryMaxAttempts: 2, retryDefaultDelay: 2 };

export interface AcmeAuthorityOptions {
  settings: PlatformConfig["acme"];
  /** Where the key of the account is kept. */
  keys: PrivateFiles;
}

/** An authority that speaks ACME (RFC 8555), by HTTP-01 challenges. */
export function createAcmeAuthority({ settings, keys }: AcmeAuthorityOptions): Authority {
  /** Loaded when the first certificate is ordered: it costs 40 MB, and most days none is. */
  const load = async () => (await import("acme-client")).default;
  type Acme = Awaited<ReturnType<typeof load>>;

  async function connect(acme: Acme): Promise<Client> {
    const { directory, caFile, email } = settings;
    const ca = caFile === null ? [] : [await readFile(caFile, "utf8")];
    const httpsAgent = new Agent({ ca: [...rootCertificates, ...ca] });
    await reach(directory, httpsAgent);
    Object.assign(acme.axios.defaults, { httpsAgent, timeout: REQUEST_TIMEOUT_MS, acmeSettings: REPEAT });
    const client = new acme.Client({ ...POLL, directoryUrl: directory, accountKey: await accountKey(acme) });
    const contact = email === null ? [] : [`mailto:${email}`];
    // Answers the account that this key has already (RFC 8555, section 7.3).
    await client.createAccount({ termsOfServiceAgreed: settings.agreeToTerms, contact });
    return client;
  }

  async function accountKey(acme: Acme): Promise<string> {
    const known = await keys.read(ACCOUNT_KEY);
    if (known !== null) return known;
    const made = (await acme.crypto.createPrivateEcdsaKey()).toString();
    await keys.write(ACCOUNT_KEY, made);
    return made;
  }

  async function order(host: string, prove: Parameters<Authority["issue"]>[1]): Promise<Issued> {
    const acme = await load();
    const client = await connect(acme);
    const placed = await client.createOrder({ identifiers: [{ type: "dns", value: host }] });
    for (const authorization of await client.getAuthorizations(placed)) {
      if (authorization.status === "valid") continue;
      const challenge = authorization.challenges.find((each) => each.type === "http-01");
      if (!challenge) throw new Error("the authority does not take proof by HTTP (http-01)");
      const answer = await client.getChallengeKeyAuthorization(challenge);
      const takeBack = await prove({ token: challenge.token, answer });
      try {
        await client.completeChallenge(challenge);
        await client.waitForValidStatus(challenge);
      } finally {
        await takeBack();
      }
    }
    const key = await acme.crypto.createPrivateEcdsaKey();
    // No common name: it is obsolete, and shorter than host names may be (RFC 9525, section 2).
    const [, request] = await acme.crypto.createCsr({ altNames: [host] }, key);
    const finalized = await client.finalizeOrder(placed, request);
    return { chain: await client.getCertificate(finalized), key: key.toString() };
  }

  return {
    issue: (host, prove) =>
      order(host, prove).catch((error: unknown) => {
        // What acme-client makes of a connection that breaks in the middle.
        if (error instanceof TypeError) throw new Error("the authority stopped answering", { cause: error });
        throw error;
      }),
  };
}

/** Throws what the system says when nobody answers there: acme-client would try for a minute and not tell. */
async function reach(url: string, agent: Agent): Promise<void> {
  const asked = get(url, { agent, timeout: REQUEST_TIMEOUT_MS });
  asked.once("timeout", () => asked.destroy(new Error(`${url} does not answer`)));
  const [response] = await once(asked, "response");
  response.resume();
  if (response.statusCode !== 200) throw new Error(`${url} answers ${response.statusCode}`);
}
