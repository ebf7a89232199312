import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { makeMainstaySbom } from "./supply-chain/mainstay-sbom.ts";

/** `node tools/sbom.ts [--file sbom.json]`: the bill of materials of Mainstay itself. */
const { values } = parseArgs({ options: { file: { type: "string" } } });
const read = (file: string) => readFileSync(join(import.meta.dirname, "..", file), "utf8");
const { version }: { version: string } = JSON.parse(read("package.json"));
const text = `${JSON.stringify(makeMainstaySbom(read("package-lock.json"), version), null, 2)}\n`;
if (values.file === undefined) process.stdout.write(text);
else writeFileSync(values.file, text);
