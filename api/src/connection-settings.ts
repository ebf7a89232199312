import { z } from "zod";
import { isHttpUrl, secretSource } from "./messages-file.ts";

/**
 * How another server is spoken to, in the words of Prometheus: what `metrics.remote` and `remoteWrite` share.
 */

const HEADERS_MAX = 20;
const SECRET = "{ env: NAME } or { file: path }";

/**
 * Secrets stand elsewhere; the others say what is sent, or are those of the connection or of whoever asks.
 */
const OWN_HEADERS = new RegExp(
  "^(authorization|cookie|host|connection|keep-alive|content-.*|accept.*|transfer-encoding|te|upgrade|expect" +
    "|user-agent|x-prometheus-remote-write-version)$",
  "i",
);
/** RFC 9110, 5.6.2. */
const TOKEN = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;
const headerText = z.string().regex(/^[\t\x20-\x7e]*$/, "expected text of one line in ASCII");

const headers = z
  .record(z.string(), z.union([headerText, secretSource], `expected text of one line in ASCII, ${SECRET}`))
  .refine((all) => Object.keys(all).length <= HEADERS_MAX, `expected at most ${HEADERS_MAX} headers`)
  .check(({ value, issues }) => {
    for (const name of Object.keys(value)) {
      const message = headerFault(name);
      if (message !== null) issues.push({ code: "custom", path: [name], message, input: name });
    }
  });

function headerFault(name: string): string | null {
  if (!TOKEN.test(name)) return "expected the name of a header, such as X-Scope-OrgID";
  return OWN_HEADERS.test(name) ? "expected another header: Mainstay sets this one by itself" : null;
}

const basicAuth = z.strictObject(
  { username: z.string().min(1, "expected the name of an account"), password: secretSource },
  `expected { username, password }, the password as ${SECRET}`,
);

const authorization = z.strictObject(
  {
    type: z
      .string()
      .regex(TOKEN, "expected one word, such as Bearer")
      .refine((type) => type.toLowerCase() !== "basic", "expected basicAuth for the type Basic")
      .default("Bearer"),
    credentials: secretSource,
  },
  `expected { credentials } as ${SECRET}, and a type other than Bearer`,
);

const file = (meaning: string) =>
  z.string().min(1, "expected the path of a file").nullable().default(null).describe(meaning);

const tlsConfig = z
  .strictObject({
    caFile: file("Certificates in PEM that are trusted, instead of those that the system trusts."),
    certFile: file("A certificate in PEM that proves who asks, with its keyFile."),
    keyFile: file("The key of certFile, in PEM."),
    serverName: z
      .string()
      .min(1, "expected the name of a host")
      .nullable()
      .default(null)
      .describe("The name that the certificate must hold; null: that of the URL."),
    insecureSkipVerify: z
      .boolean()
      .default(false)
      .describe("Whether any certificate will do, which lets whoever stands between read everything."),
  })
  .check(({ value: { certFile, keyFile }, issues }) => {
    if ((certFile === null) === (keyFile === null)) return;
    const path = [keyFile === null ? "keyFile" : "certFile"];
    issues.push({
      code: "custom",
      path,
      message: "expected a certificate and its key, or neither",
      input: null,
    });
  });

export const connectionSettings = {
  headers: headers
    .default({})
    .describe(
      "Further headers of each request, such as X-Scope-OrgID: text, `{ env: NAME }` or `{ file: path }`.",
    ),
  basicAuth: basicAuth
    .nullable()
    .default(null)
    .describe("`{ username, password }`, the password as `{ env: NAME }` or `{ file: path }`."),
  authorization: authorization
    .nullable()
    .default(null)
    .describe("`{ type: Bearer, credentials }`, the credentials as `{ env: NAME }` or `{ file: path }`."),
  tlsConfig: tlsConfig.prefault({}),
};

const connection = z.strictObject(connectionSettings);
export type ConnectionConfig = z.output<typeof connection>;

/** There is one header to prove who one is. */
export function refuseTwoProofs({ value, issues }: z.core.ParsePayload<ConnectionConfig>): void {
  if (value.basicAuth === null || value.authorization === null) return;
  const message = "expected basicAuth or authorization, not both";
  issues.push({ code: "custom", path: ["authorization"], message, input: null });
}

export const connectionUrl = z
  .string()
  .refine(isHttpUrl, "expected an http:// or https:// URL without a password");
