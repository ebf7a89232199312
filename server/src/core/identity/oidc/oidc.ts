import { AppError, type OidcProviderConfig, type SecretSource } from "@mainstay/api";
import type { Configuration } from "openid-client";
import { z } from "zod";
import type { Ceremonies } from "../accounts/ceremonies.ts";
import type { Entered } from "../accounts/entrance.ts";
import type { Login } from "../accounts/login.ts";
import type { UserRow } from "../accounts/people-store.ts";
import type { Refusals } from "../accounts/refusals.ts";
import { actorOf, type AccountsRoom, type Visitor } from "../accounts/room.ts";
import { createOidcStore } from "./oidc-store.ts";

export interface OidcParts {
  room: AccountsRoom;
  ceremonies: Ceremonies;
  login: Pick<Login, "enter">;
  refusals: Refusals;
  readSecret: (source: SecretSource) => Promise<string>;
  publicUrl: string;
}

const kept = z.object({ provider: z.string(), verifier: z.string(), nonce: z.string(), state: z.string() });
type Kept = z.infer<typeof kept>;

interface Account {
  issuer: string;
  subject: string;
  /** Only if the provider vouches for it. */
  verifiedEmail: string | null;
}

export type Oidc = ReturnType<typeof createOidc>;

/**
 * Login at an identity provider: OpenID Connect Core 1.0 with the code flow, PKCE
 * (RFC 7636), state and nonce. The library is loaded by whoever uses it first.
 */
export function createOidc({ room, ceremonies, login, refusals, readSecret, publicUrl }: OidcParts) {
  const { db, clock, audit, config, people, access } = room;
  const store = createOidcStore(db);
  const known = new Map<string, Promise<Configuration>>();
  const library = () => import("openid-client");
  const redirectUri = (name: string) => `${publicUrl}/api/v1/login/oidc/${name}/callback`;

  function providerNamed(name: string): OidcProviderConfig {
    const found = config.oidc.find((each) => each.name === name);
    if (!found) throw new AppError("NOT_FOUND", { what: `identity provider ${name}` });
    return found;
  }

  /** What the provider says of itself, asked for once; a failure is forgotten. */
  function configurationOf(provider: OidcProviderConfig): Promise<Configuration> {
    const asked = known.get(provider.name) ?? discover(provider);
    known.set(provider.name, asked);
    return asked.catch((error: unknown) => {
      known.delete(provider.name);
      throw failure(provider.name, error);
    });
  }

  async function discover({ issuer, clientId, clientSecret }: OidcProviderConfig): Promise<Configuration> {
    const { allowInsecureRequests, ClientSecretPost, discovery, enableNonRepudiationChecks } =
      await library();
    const secret = await readSecret(clientSecret);
    // Signatures are checked though TLS vouches for the
    // token endpoint too (OpenID Connect Core 1.0 §3.1.3.7).
    const always = [enableNonRepudiationChecks];
    const execute = issuer.startsWith("http:") ? [...always, allowInsecureRequests] : always;
    return discovery(new URL(issuer), clientId, undefined, ClientSecretPost(secret), { execute });
  }

  async function begin(name: string): Promise<{ url: string; token: string }> {
    const client = await library();
    const configuration = await configurationOf(providerNamed(name));
    const verifier = client.randomPKCECodeVerifier();
    const data: Kept = { provider: name, verifier, nonce: client.randomNonce(), state: client.randomState() };
    const begun = await ceremonies.begin("oidc", { userId: null, data });
    const url = client.buildAuthorizationUrl(configuration, {
      redirect_uri: redirectUri(name),
      scope: "openid email profile",
      code_challenge: await client.calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
      state: data.state,
      nonce: data.nonce,
    });
    return { url: url.href, token: begun.token };
  }

  async function accountFrom(name: string, query: string, data: Kept): Promise<Account> {
    const { authorizationCodeGrant } = await library();
    const configuration = await configurationOf(providerNamed(name));
    const answered = new URL(`${redirectUri(name)}?${query}`);
    const checks = { pkceCodeVerifier: data.verifier, expectedNonce: data.nonce, expectedState: data.state };
    const tokens = await authorizationCodeGrant(configuration, answered, {
      ...checks,
      idTokenExpected: true,
    });
    const claims = tokens.claims();
    if (!claims) throw new Error("the provider sent no identity");
    const { iss, sub, email, email_verified: isVerified } = claims;
    const verifiedEmail = isVerified === true && typeof email === "string" ? email : null;
    return { issuer: iss, subject: sub, verifiedEmail };
  }

  /**
   * Who that is here: linked before, or by an address that the provider vouches for, where that is allowed.
   */
  async function userOf(
    provider: OidcProviderConfig,
    account: Account,
    visitor: Visitor,
  ): Promise<UserRow | null> {
    const linked = await store.userOf(account);
    if (linked !== null) return (await people.user(linked)) ?? null;
    if (!provider.linkByEmail || account.verifiedEmail === null) return null;
    const user = await people.userByEmail(account.verifiedEmail);
    if (!user || user.state === "disabled") return null;
    await db.transaction().execute(async (tx) => {
      const { issuer, subject } = account;
      await store.insert(tx, { issuer, subject, user_id: user.id, created_at: clock.now() });
      await people.updateUser(tx, user.id, { state: "active" });
      await people.deleteLinks(tx, { userId: user.id });
      await access.resume(tx, user.id);
      await audit.record(tx, {
        actor: actorOf(user),
        action: "identity.account_linked",
        resource: { type: "user", id: user.id },
        before: { state: user.state },
        after: { state: "active", provider: provider.name, issuer, subject },
        requestId: visitor.requestId,
        address: visitor.address,
      });
    });
    await access.refresh();
    return { ...user, state: "active" };
  }

  return {
    begin,
    /** The second half, when the browser is back; `token` is the one that `begin` put into its cookie. */
    async finish(given: { name: string; query: string; token: string }, visitor: Visitor): Promise<Entered> {
      const provider = providerNamed(given.name);
      const data = kept.parse((await ceremonies.take("oidc", given.token)).data);
      if (data.provider !== given.name) throw new AppError("CHALLENGE_EXPIRED");
      const account = await accountFrom(given.name, given.query, data).catch(async (error: unknown) => {
        await refusals.refused({
          reason: "provider",
          user: null,
          visitor,
          details: { provider: given.name },
        });
        throw failure(given.name, error);
      });
      const user = await userOf(provider, account, visitor);
      if (user?.state !== "active") {
        await refusals.refused({ reason: "provider", user, visitor, details: { provider: given.name } });
        throw new AppError("LOGIN_REFUSED");
      }
      return login.enter(user, visitor, {
        methods: [`oidc:${given.name}`],
        isStrong: false,
        failuresBefore: 0,
      });
    },
  };
}

function failure(provider: string, cause: unknown): AppError {
  if (cause instanceof AppError) return cause;
  const reason = cause instanceof Error ? cause.message : "it does not answer as it should";
  return new AppError("PROVIDER_FAILED", { provider, reason }, { cause });
}
