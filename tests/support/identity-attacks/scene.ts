import type { EnteredResource, IdentityConfig, InvitedResource, ShownKey } from "@mainstay/api";
import { openIdentityHouse, type HouseOptions, type IdentityHouse } from "../identity-house.ts";
import { startOidcProvider, type OidcProvider, type Person } from "../oidc-provider.ts";

export interface SceneSettings extends Omit<HouseOptions, "config"> {
  config?: Partial<Omit<IdentityConfig, "oidc">>;
  /** With an identity provider "corp", whose addresses it goes by or not. */
  oidc?: { linkByEmail: boolean };
}

/** Mainstay's identity room with its first administrator, and short ways to what attacks need. */
export interface Scene {
  house: IdentityHouse;
  ask: IdentityHouse["ask"];
  /** The administrator, whose key may do everything. */
  ann: EnteredResource;
  /** An administrator's request by key, which needs no second factor. */
  admin: IdentityHouse["ask"];
  join(role: string, name?: string): Promise<EnteredResource>;
  /** Somebody with permissions of their own choice, everywhere. */
  joinWith(permissions: string[], name?: string): Promise<EnteredResource>;
  invite(role: string, name?: string): Promise<InvitedResource>;
  key(wish: object, token?: string | null): Promise<ShownKey>;
  /** The provider, and a whole login there. */
  provider: OidcProvider;
  beginOidc(): Promise<{ url: string; cookie: string }>;
  enterByOidc(person: Person): ReturnType<IdentityHouse["ask"]>;
  close(): Promise<void>;
}

const LOGIN = "/api/v1/login/oidc/corp";

export async function openScene({ oidc, config = {}, ...options }: SceneSettings): Promise<Scene> {
  const provider = oidc ? await startOidcProvider() : null;
  const providers = provider && oidc ? [{ ...corp(provider.issuer), ...oidc }] : [];
  const house = await openIdentityHouse({
    ...options,
    hasTokens: true,
    config: { ...config, oidc: providers },
  });
  const ann = await house.setUp();
  const { ask } = house;
  let keys = 0;
  const admin: Scene["admin"] = (method, url, asking) => ask(method, url, { token: ann.key, ...asking });

  async function invite(role: string, name = "Bob"): Promise<InvitedResource> {
    const body = { email: `${name.toLowerCase()}@example.com`, name, role };
    return (await admin("POST", "/api/v1/users", { body })).body as InvitedResource;
  }
  const join = async (role: string, name = "Bob") => house.redeem((await invite(role, name)).link);

  async function beginOidc() {
    const { headers, cookies } = await ask("GET", LOGIN);
    return { url: String(headers["location"]), cookie: `${cookies[0]?.name}=${cookies[0]?.value}` };
  }

  return {
    ...{ house, ask, ann, admin, join, invite, beginOidc },
    async joinWith(permissions, name = "Bob") {
      const role = `role-of-${name.toLowerCase()}`;
      await admin("POST", "/api/v1/roles", { body: { name: role, permissions } });
      return join(role, name);
    },
    async key(wish, token = ann.key) {
      keys += 1;
      const body = { name: `key-${keys}`, ...wish };
      return (await ask("POST", "/api/v1/keys", { token, body })).body as ShownKey;
    },
    get provider() {
      if (!provider) throw new Error("the scene has no identity provider");
      return provider;
    },
    async enterByOidc(person) {
      const { url, cookie } = await beginOidc();
      if (!provider) throw new Error("the scene has no identity provider");
      return ask("GET", provider.agree(url, person), { headers: { cookie } });
    },
    async close() {
      await house.close();
      await provider?.close();
    },
  };
}

function corp(issuer: string) {
  const clientSecret = { env: "X", file: undefined };
  return { name: "corp", issuer, clientId: "mainstay", clientSecret };
}
