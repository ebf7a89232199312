import { readFile } from "node:fs/promises";
import { z } from "zod";
import { reply, type Http } from "../../../kernel/http/index.ts";

const FILES = [
  { url: "/setup", file: "setup.html", contentType: "text/html; charset=utf-8" },
  { url: "/setup.css", file: "setup.css", contentType: "text/css; charset=utf-8" },
  { url: "/setup.js", file: "setup.js", contentType: "text/javascript; charset=utf-8" },
] as const;

/** Nothing from elsewhere, nothing inline, in no frame. */
export const PAGE_HEADERS = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
  "referrer-policy": "no-referrer",
  "x-frame-options": "DENY",
};

/** The page behind one-time links: it needs nothing but this server. */
export function addPageRoutes(http: Http): void {
  for (const { url, file, contentType } of FILES) {
    http.route({
      ...{ method: "GET", url, permission: "public", tags: ["login"], contentType },
      summary: `The page behind one-time links: ${file}`,
      response: z.string(),
      async handler() {
        const body = await readFile(new URL(`./${file}`, import.meta.url), "utf8");
        return reply({ status: 200, headers: PAGE_HEADERS, body });
      },
    });
  }
}
