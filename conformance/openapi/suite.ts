import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Validator } from "@seriousme/openapi-schema-validator";
import type { CaseResult, Suite } from "../suite.ts";
import { judgeOperations, listOperations } from "./operations.ts";

const DOCUMENT = "docs/reference/openapi.json";

/** Whoever generates a client from the document gets one that fits. */
export const suite: Suite = {
  about: `${DOCUMENT} against the official schema of OpenAPI 3.1`,
  async run({ repositoryFolder }) {
    const document: unknown = JSON.parse(await readFile(join(repositoryFolder, DOCUMENT), "utf8"));
    const operations = listOperations(document);
    return [
      ...(await judgeDocument(document)),
      { name: "describes operations", failure: operations.length > 0 ? null : "there are none" },
      ...judgeOperations(operations),
    ];
  },
};

/** Valid by the official schema, references included, and of the version we say. */
export async function judgeDocument(document: unknown): Promise<CaseResult[]> {
  const validator = new Validator();
  const { valid, errors } = await validator.validate(JSON.stringify(document, null, 2));
  const complaint =
    typeof errors === "string" ? errors : errors?.map((each) => `${each.instancePath} ${each.message}`);
  return [
    { name: "is valid", failure: valid ? null : String(complaint) },
    { name: "is OpenAPI 3.1", failure: validator.version === "3.1" ? null : `it says ${validator.version}` },
  ];
}
