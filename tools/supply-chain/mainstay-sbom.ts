import { createHash } from "node:crypto";
import { readLockfile } from "../../server/src/core/services/domain/lockfile.ts";
import { makeSbom, type Sbom } from "../../server/src/core/services/domain/sbom.ts";
import { isShipped, parseLockfile, productionPackages } from "./lockfile.ts";

/** What Mainstay itself is made of: CycloneDX 1.6. The same lock file always gives the same document. */
export function makeMainstaySbom(text: string, version: string): Sbom {
  const lockfile = parseLockfile(text);
  const shipped = productionPackages(lockfile);
  const packages = (readLockfile(text) ?? []).filter(({ at }) => shipped.has(at));
  const ours = [...lockfile].filter(([place]) => place === "" || isShipped(place));
  const needs = ours.flatMap(([, each]) =>
    Object.keys({ ...each.dependencies, ...each.optionalDependencies }),
  );
  const digest = createHash("sha256").update(text).digest("hex");
  const subject = { digest, name: "mainstay", version, needs: [...new Set(needs)].toSorted() };
  return makeSbom({ ...subject, readFrom: "package-lock.json" }, packages);
}
