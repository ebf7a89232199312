import { posix } from "node:path";
import type { Finding } from "./finding.ts";
import type { Repository } from "./repository.ts";

/** [text](target) and ![text](target), with or without a title. */
const INLINE = /\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)/g;
/** [name]: target */
const REFERENCE = /^\s{0,3}\[[^\]]+\]:\s+<?(\S+?)>?(?:\s+"[^"]*")?\s*$/g;
const ELSEWHERE = /^([a-z][a-z0-9+.-]*:|\/\/|#)/i;

/** Every relative link of a Markdown file leads to something that is there. */
export function checkLinks(repository: Repository): Finding[] {
  const pages = repository.documents.filter((document) => document.path.endsWith(".md"));
  return pages.flatMap(({ path, text }) =>
    linesOutsideCode(text).flatMap(([content, line]) =>
      targetsOf(content)
        .filter((target) => !ELSEWHERE.test(target) && !leadsSomewhere(repository, path, target))
        .map((target) => ({ rule: "link", path, line, message: `${target} leads nowhere` })),
    ),
  );
}

function leadsSomewhere(repository: Repository, from: string, target: string): boolean {
  const file = decodeURI(target.split(/[#?]/)[0] ?? "");
  const path = file.startsWith("/") ? file.slice(1) : posix.join(posix.dirname(from), file);
  return path === "." || repository.paths.has(path.replace(/\/$/, ""));
}

function targetsOf(content: string): string[] {
  const withoutCode = content.replace(/`[^`]*`/g, "");
  return [...withoutCode.matchAll(INLINE), ...withoutCode.matchAll(REFERENCE)].map((match) => match[1] ?? "");
}

/** Lines with their numbers, without those inside of fenced code. */
function linesOutsideCode(text: string): [string, number][] {
  let fence: string | null = null;
  return text.split("\n").flatMap((content, index): [string, number][] => {
    const mark = /^\s*(```+|~~~+)/.exec(content)?.[1] ?? null;
    if (mark === null) return fence === null ? [[content, index + 1]] : [];
    if (fence === null) fence = mark;
    else if (mark.startsWith(fence)) fence = null;
    return [];
  });
}
