import { AppError, describeIssues } from "@mainstay/api";
import { z } from "zod";
import { MIX_NAMES } from "./request-mix.ts";

const share = () => z.number().min(0).max(1);

/** What the load generator takes as its one argument, in JSON. */
const loadOptions = z.strictObject({
  url: z.url({ protocol: /^http$/, error: "expected a URL that starts with http://" }),
  mix: z.enum(MIX_NAMES),
  rps: z.number().positive().max(10_000).default(200),
  users: z.int().positive().max(1_000_000).default(1000),
  cookielessShare: share().default(0.2),
  /** Of the requests: over a connection of their own. */
  closeShare: share().default(0.2),
  putShare: share().default(0.1),
  seed: z.int().nonnegative().default(1),
  /** null: until SIGTERM. */
  durationMs: z.int().positive().nullable().default(null),
  /** From the moment a request is due to be sent to the end of its answer. */
  timeoutMs: z.int().positive().max(60_000).default(10_000),
});

export type LoadOptions = z.output<typeof loadOptions>;
export type LoadSettings = z.input<typeof loadOptions>;

const SOURCE = "the load generator's argument";

/** The argument's text → options. Throws CONFIG_INVALID that names every wrong field. */
export function parseLoadOptions(text: string): LoadOptions {
  const parsed = loadOptions.safeParse(readJson(text));
  if (parsed.success) return parsed.data;
  throw new AppError("CONFIG_INVALID", { file: SOURCE }, { errors: describeIssues(parsed.error) });
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const errors = [
      { path: "(top level)", message: 'expected JSON such as {"url":"http://127.0.0.1:8080","mix":"hello"}' },
    ];
    throw new AppError("CONFIG_INVALID", { file: SOURCE }, { cause: error, errors });
  }
}
