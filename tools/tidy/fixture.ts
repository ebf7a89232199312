import type { Finding, Rule } from "./finding.ts";
import { createRepository, type Repository } from "./repository.ts";

/** A repository in memory: paths and texts. */
export function repositoryOf(files: Record<string, string>): Repository {
  return createRepository(new Map(Object.entries(files)));
}

/** What a rule finds there, as `path:line message`. */
export function findingsOf(rule: Rule, files: Record<string, string>): string[] {
  return rule(repositoryOf(files)).map(({ path, line, message }: Finding) => `${path}:${line} ${message}`);
}
