import { join } from "node:path";
import { collectGenerated, findDifferences, writeGenerated } from "./generated-files.ts";

/** Writes what is made from code (docs/reference); with --check it writes nothing and a difference fails. */
const root = join(import.meta.dirname, "..");
const files = await collectGenerated(join(import.meta.dirname, "generate"));

if (process.argv.includes("--check")) {
  const differences = await findDifferences(root, files);
  for (const difference of differences) console.log(difference);
  if (differences.length > 0) {
    console.log("Run 'node tools/generate.ts' and commit what it writes.");
    process.exitCode = 1;
  }
} else {
  const written = await writeGenerated(root, files);
  console.log(
    written.length === 0 ? "Everything is up to date." : written.map((path) => `wrote ${path}`).join("\n"),
  );
}
