import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseStrictOpenMetrics } from "@mainstay/metrics/wire";
import type { CaseResult, Suite } from "../suite.ts";

/** What is well-formed is accepted, and everything else refused. */
export const suite: Suite = {
  about: "Expositions of prometheus/OpenMetrics against our strict parser",
  data: "openmetrics",
  async run({ dataFolder }) {
    const entries = await readdir(dataFolder, { withFileTypes: true });
    const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
    return Promise.all(names.toSorted().map((name) => judge(dataFolder, name)));
  },
};

async function judge(dataFolder: string, name: string): Promise<CaseResult> {
  const read = (file: string) => readFile(join(dataFolder, name, file), "utf8");
  const { shouldParse, file }: { shouldParse: boolean; file: string } = JSON.parse(await read("test.json"));
  const reason = reasonAgainst(await read(file));
  if (shouldParse) return { name, failure: reason === null ? null : `refused: ${reason}` };
  return { name, failure: reason === null ? "accepted" : null };
}

/** Why a text was refused; null when it was not. */
function reasonAgainst(text: string): string | null {
  try {
    parseStrictOpenMetrics(text, { sample() {}, metadata() {} });
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
