import { z } from "zod";
import { isHttpUrl, secretSource } from "./messages-file.ts";
import { durationWithin, sizeWithin } from "./unit-schemas.ts";

/** The part of `mainstay.platform.yaml` about the store elsewhere that answers queries. */

const SECOND = 1_000;
const HOUR = 3_600_000;
const MIB = 1024 ** 2;
const HEADERS_MAX = 20;

const AUTH = "expected { bearer: secret } or { basic: { username: name, password: secret } }";
const basic = z.strictObject({ username: z.string().min(1), password: secretSource });
const auth = z.union([z.strictObject({ bearer: secretSource }), z.strictObject({ basic })], AUTH);

/** Secrets have `auth`; the others are those of the connection, or of whoever asks. */
const OWN_HEADERS =
  /^(authorization|cookie|host|connection|content-.*|accept.*|transfer-encoding|te|upgrade|expect)$/i;
const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;
const headerValue = z.string().regex(/^[\t\x20-\x7e]*$/, "expected text of one line in ASCII");

function refuseNames({ value, issues }: z.core.ParsePayload<Record<string, string>>): void {
  for (const name of Object.keys(value)) {
    const report = (message: string) => issues.push({ code: "custom", path: [name], message, input: value });
    if (!HEADER_NAME.test(name)) report("expected the name of a header, such as X-Scope-OrgID");
    else if (OWN_HEADERS.test(name)) report("expected another header: Mainstay sets this one by itself");
  }
}

export const remote = z.strictObject({
  url: z
    .string()
    .refine(isHttpUrl, "expected an http:// or https:// URL without a password")
    .refine((url) => !/[?#]|\/api\/v1\/*$/.test(url), "expected the part of the URL before /api/v1")
    .nullable()
    .default(null)
    .describe(
      "Where a Prometheus, Mimir or VictoriaMetrics has its API, up to /api/v1, as in https://mimir.example.com/prometheus.",
    ),
  auth: auth
    .nullable()
    .default(null)
    .describe(
      "`{ bearer: secret }` or `{ basic: { username, password: secret } }`; a secret is `{ env: NAME }` or `{ file: path }`.",
    ),
  headers: z
    .record(z.string(), headerValue)
    .refine((all) => Object.keys(all).length <= HEADERS_MAX, `expected at most ${HEADERS_MAX} headers`)
    .check(refuseNames)
    .default({})
    .describe("Further headers of each request, such as X-Scope-OrgID."),
  caFile: z
    .string()
    .min(1, "expected the path of a file")
    .nullable()
    .default(null)
    .describe("Certificates in PEM that are trusted besides those that the system trusts."),
  timeout: durationWithin(SECOND, HOUR)
    .prefault("25s")
    .describe("How long an answer may take, to its end; server.requestTimeout ends the wait for its begin."),
  bodyLimit: sizeWithin(MIB, 1024 * MIB, "expected a size from 1MiB to 1GiB")
    .prefault("64MiB")
    .describe("The largest answer that is passed on, as it comes over the wire."),
});
export type RemoteConfig = z.output<typeof remote>;
