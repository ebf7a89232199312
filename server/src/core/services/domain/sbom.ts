import { z } from "zod";
import { resolvePackage, type LockedPackage } from "./lockfile.ts";

/** What a release is made of: CycloneDX 1.6 as JSON, https://cyclonedx.org/docs/1.6/json/, as far as used. */
const component = z.object({
  type: z.enum(["application", "library"]),
  "bom-ref": z.string(),
  group: z.string().optional(),
  name: z.string(),
  version: z.string(),
  scope: z.enum(["required", "optional", "excluded"]).optional(),
  purl: z.string().optional(),
  hashes: z.array(z.object({ alg: z.string(), content: z.string() })).optional(),
  licenses: z.array(z.record(z.string(), z.unknown())).optional(),
});
export const sbomDocument = z.object({
  bomFormat: z.literal("CycloneDX"),
  specVersion: z.literal("1.6"),
  serialNumber: z.string(),
  version: z.int(),
  metadata: z.object({
    component,
    tools: z.object({ components: z.array(z.object({ type: z.string(), name: z.string() })) }),
    properties: z.array(z.object({ name: z.string(), value: z.string() })),
  }),
  components: z.array(component),
  dependencies: z.array(z.object({ ref: z.string(), dependsOn: z.array(z.string()) })),
});
export type Sbom = z.infer<typeof sbomDocument>;
type Component = z.infer<typeof component>;

export interface SbomSubject {
  /** Of the release's files: the same files always give the same document. */
  digest: string;
  name: string;
  version: string;
  /** Names of what it needs itself. */
  needs: string[];
  /** The file that the packages were read from. */
  readFrom: string;
}

/** The document for the packages of a release; a package that lies in several places is one component. */
export function makeSbom(subject: SbomSubject, packages: readonly LockedPackage[]): Sbom {
  const known = new Map(packages.map((each) => [each.at, each]));
  const { group, name } = splitName(subject.name);
  const root = {
    type: "application",
    "bom-ref": "release",
    ...(group === null ? {} : { group }),
    name,
    version: subject.version,
  } as const;
  const needsOf = (at: string, needs: readonly string[]) =>
    needs.flatMap((need) => {
      const found = resolvePackage(known, at, need);
      return found ? [purlOf(found)] : [];
    });
  const components = new Map<string, Component>();
  const dependencies = new Map([["release", new Set(needsOf("", subject.needs))]]);
  for (const each of packages) {
    const purl = purlOf(each);
    components.set(purl, merged(components.get(purl), componentOf(each, purl)));
    const before = dependencies.get(purl) ?? new Set();
    dependencies.set(purl, new Set([...before, ...needsOf(each.at, each.needs)]));
  }
  return {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    serialNumber: `urn:uuid:${uuidOf(subject.digest)}`,
    version: 1,
    metadata: {
      component: root,
      tools: { components: [{ type: "application", name: "mainstay" }] },
      properties: [
        { name: "mainstay:release:digest", value: subject.digest },
        { name: "mainstay:sbom:source", value: subject.readFrom },
      ],
    },
    components: [...components.values()].toSorted((left, right) => order(left["bom-ref"], right["bom-ref"])),
    dependencies: [...dependencies]
      .map(([ref, on]) => ({ ref, dependsOn: [...on].toSorted(order) }))
      .toSorted((left, right) => order(left.ref, right.ref)),
  };
}

/** Needed in one place is needed. */
function merged(before: Component | undefined, each: Component): Component {
  const rank = { required: 0, optional: 1, excluded: 2 };
  if (!before?.scope || !each.scope) return each;
  return rank[before.scope] <= rank[each.scope] ? before : each;
}

function componentOf(each: LockedPackage, purl: string): Component {
  const { group, name } = splitName(each.name);
  const hashes = hashesOf(each.integrity);
  return {
    type: "library",
    "bom-ref": purl,
    ...(group === null ? {} : { group }),
    name,
    version: each.version,
    scope: each.isDev ? "excluded" : each.isOptional ? "optional" : "required",
    purl,
    ...(hashes.length > 0 ? { hashes } : {}),
    ...(each.license === null ? {} : { licenses: [licenseOf(each.license)] }),
  };
}

function splitName(full: string): { group: string | null; name: string } {
  const [, group, name] = /^(@[^/]+)\/(.+)$/.exec(full) ?? [];
  return group && name ? { group, name } : { group: null, name: full };
}

/**
 * https://github.com/package-url/purl-spec, type npm: the scope is the namespace, its "@" percent-encoded.
 */
function purlOf({ name, version }: LockedPackage): string {
  const path = name.split("/").map(encodeURIComponent).join("/");
  return `pkg:npm/${path}@${encodeURIComponent(version)}`;
}

const ALGORITHMS: Record<string, string> = {
  sha1: "SHA-1",
  sha256: "SHA-256",
  sha384: "SHA-384",
  sha512: "SHA-512",
};

/** Subresource integrity ("sha512-<base64>") as algorithm and hexadecimal digits. */
function hashesOf(integrity: string | null): { alg: string; content: string }[] {
  return (integrity ?? "").split(/\s+/).flatMap((each) => {
    const [, name = "", digest = ""] = /^(sha\d+)-([A-Za-z0-9+/]+=*)/.exec(each) ?? [];
    const alg = ALGORITHMS[name];
    return alg ? [{ alg, content: Buffer.from(digest, "base64").toString("hex") }] : [];
  });
}

/** Looks like an SPDX expression, or is words of its own. */
function licenseOf(text: string): Record<string, unknown> {
  const isExpression = /^\(*[A-Za-z0-9.+-]+\)*( (AND|OR|WITH) \(*[A-Za-z0-9.+-]+\)*)*$/.test(text);
  return isExpression && text !== "UNLICENSED" ? { expression: text } : { license: { name: text } };
}

/** A UUIDv8 (RFC 9562 §5.8) of the digest's first bits. */
function uuidOf(digest: string): string {
  const hex = digest.replace("sha256:", "");
  const variant = ((parseInt(hex[16] ?? "0", 16) & 0x3) | 0x8).toString(16);
  return [
    ...[hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`],
    ...[`${variant}${hex.slice(17, 20)}`, hex.slice(20, 32)],
  ].join("-");
}

function order(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
