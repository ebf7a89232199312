import { readFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { Ajv } from "ajv";
import addFormats from "ajv-formats";

/** Says what is wrong with a document by the schema of CycloneDX 1.6, as its own library ships it. */
export async function createSbomValidator(): Promise<(document: unknown) => string[]> {
  const home = path.dirname(fileURLToPath(import.meta.resolve("@cyclonedx/cyclonedx-library/package.json")));
  const read = async (name: string): Promise<object> =>
    JSON.parse(await readFile(path.join(home, "res/schema", `${name}.SNAPSHOT.schema.json`), "utf8"));
  const ajv = new Ajv({ strict: false, allErrors: true });
  addFormats.default(ajv);
  ajv.addFormat("iri-reference", true);
  ajv.addFormat("idn-email", true);
  for (const name of ["spdx", "jsf-0.82"])
    ajv.addSchema(await read(name), `http://cyclonedx.org/schema/${name}.SNAPSHOT.schema.json`);
  const validate = ajv.compile(await read("bom-1.6"));
  return (document) =>
    validate(document) ? [] : (validate.errors ?? []).map((each) => `${each.instancePath} ${each.message}`);
}
