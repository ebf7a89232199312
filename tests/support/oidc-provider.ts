import { createHash, generateKeyPairSync, randomUUID, sign, type KeyObject } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

export interface Person {
  sub: string;
  email?: string;
  email_verified?: boolean;
}

/**
 * An identity provider on this machine: discovery, keys, the code flow with PKCE, tokens signed with RS256.
 */
export interface OidcProvider {
  issuer: string;
  /** As if the person had agreed on the page that the URL leads to: where the browser is sent back to. */
  agree(authorizationUrl: string, person: Person): string;
  /** Altered in every token from now on. */
  distort(claims: Record<string, unknown>): void;
  /** Signs with a key that it does not publish. */
  forge(): void;
  /** Writes every token in its own way from now on. */
  write(idToken: (claims: Record<string, unknown>, publicKey: KeyObject) => string): void;
  close(): Promise<void>;
}

interface Grant {
  person: Person;
  nonce: string | null;
  challenge: string | null;
  redirectUri: string | null;
}

const CLIENT = "mainstay";

export async function startOidcProvider(): Promise<OidcProvider> {
  const published = generateKeyPairSync("rsa", { modulusLength: 2048 });
  let signing = published.privateKey;
  let distortion: Record<string, unknown> = {};
  let write: Parameters<OidcProvider["write"]>[0] | null = null;
  const grants = new Map<string, Grant>();
  const server = createServer((request, response) => void handle(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  function idToken({ person, nonce }: Grant): string {
    const seconds = Math.floor(Date.now() / 1000);
    const times = { iat: seconds, exp: seconds + 300 };
    const claims = {
      iss: issuer,
      aud: CLIENT,
      ...times,
      ...(nonce === null ? {} : { nonce }),
      ...person,
      ...distortion,
    };
    if (write !== null) return write(claims, published.publicKey);
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const signed = `${part({ alg: "RS256", kid: "k1", typ: "JWT" })}.${part(claims)}`;
    return `${signed}.${sign("sha256", Buffer.from(signed), signing).toString("base64url")}`;
  }

  async function grantTokens(request: IncomingMessage): Promise<[number, object]> {
    const form = new URLSearchParams(await text(request));
    const code = form.get("code") ?? "";
    const grant = grants.get(code);
    grants.delete(code);
    const verifier = createHash("sha256")
      .update(form.get("code_verifier") ?? "")
      .digest("base64url");
    const isRight = grant && grant.challenge === verifier && grant.redirectUri === form.get("redirect_uri");
    if (!isRight) return [400, { error: "invalid_grant" }];
    return [200, { access_token: randomUUID(), token_type: "Bearer", id_token: idToken(grant) }];
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? "").split("?")[0];
    const jwk = { ...published.publicKey.export({ format: "jwk" }), kid: "k1", use: "sig", alg: "RS256" };
    const metadata = {
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      jwks_uri: `${issuer}/jwks`,
      response_types_supported: ["code"],
      id_token_signing_alg_values_supported: ["RS256"],
      code_challenge_methods_supported: ["S256"],
    };
    const [status, body] =
      path === "/token"
        ? await grantTokens(request)
        : path === "/jwks"
          ? [200, { keys: [jwk] }]
          : path === "/.well-known/openid-configuration"
            ? [200, metadata]
            : [404, {}];
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  }

  return {
    issuer,
    agree(authorizationUrl, person) {
      const asked = new URL(authorizationUrl).searchParams;
      const code = randomUUID();
      const redirectUri = asked.get("redirect_uri");
      grants.set(code, {
        person,
        nonce: asked.get("nonce"),
        challenge: asked.get("code_challenge"),
        redirectUri,
      });
      const back = new URL(redirectUri ?? "");
      back.search = new URLSearchParams({ code, state: asked.get("state") ?? "" }).toString();
      return `${back.pathname}${back.search}`;
    },
    distort: (claims) => void (distortion = claims),
    forge: () => void (signing = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey),
    write: (written) => void (write = written),
    close: () => new Promise((resolve) => void server.close(() => resolve())),
  };
}
