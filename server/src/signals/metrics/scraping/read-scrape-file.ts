import { AppError, describeIssues, explain, readYaml } from "@mainstay/api";
import path from "node:path";
import { scrapeFile } from "./scrape-file.ts";
import { jobsOf, type ScrapeJob } from "./scrape-job.ts";

/** The jobs that a file says. Throws CONFIG_INVALID with every place that is wrong. */
export function readScrapeFile(text: string, file: string): ScrapeJob[] {
  const parsed = scrapeFile.safeParse(readYaml(text, file), { error: explain });
  if (!parsed.success)
    throw new AppError("CONFIG_INVALID", { file }, { errors: describeIssues(parsed.error, scrapeFile) });
  return jobsOf(parsed.data, path.dirname(file));
}
