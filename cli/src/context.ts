import type { ApiClient } from "./api-client.ts";
import type { ServerChoice } from "./server-choice.ts";

/**
 * What a command may touch: everything comes from here, so that commands can be tested without a terminal.
 */
export interface Context {
  api: ApiClient;
  server: ServerChoice;
  /** One JSON document, or lines of JSON, instead of words. */
  isJson: boolean;
  isTerminal: boolean;
  nowMs(): number;
  /** Everything that comes in on standard input. */
  input(): Promise<string>;
  /** The same as bytes. */
  inputBytes(): AsyncIterable<Uint8Array>;
  /** Whether somebody led a pipe or a file here on purpose. */
  isPiped(): boolean;
  print(text: string): void;
  /** Overwrites the last line of a terminal; nothing elsewhere. */
  status(text: string): void;
}

/** The document for `--json`, the words otherwise. */
export function show(context: Context, document: unknown, words: () => string): void {
  context.print(context.isJson ? JSON.stringify(document, null, 2) : words());
}
