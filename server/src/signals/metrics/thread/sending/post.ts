import type { IncomingMessage } from "node:http";
import type { Connection } from "../../connection/connection.ts";

/** One request of remote-write. */
export interface Post {
  connection: Connection;
  url: URL;
  headers: Readonly<Record<string, string>>;
  body: Uint8Array;
  timeoutMs: number;
  signal: AbortSignal;
}

export interface PostAnswer {
  status: number;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The beginning of the body, in one line. */
  message: string;
}

const MESSAGE_BYTES = 1_024;

/** Sends it and waits for the whole answer. Throws with words about what kept it from coming. */
export async function post({ connection, timeoutMs, signal, ...request }: Post): Promise<PostAnswer> {
  const late = AbortSignal.timeout(timeoutMs);
  const either = AbortSignal.any([late, signal]);
  try {
    const response = await connection.send({ ...request, method: "POST", signal: either });
    const message = await readMessage(response, either);
    return { status: response.statusCode ?? 0, headers: response.headers, message };
  } catch (error) {
    if (late.aborted) throw new Error(`no whole answer within ${timeoutMs / 1000} s`, { cause: error });
    throw error;
  }
}

async function readMessage(response: IncomingMessage, signal: AbortSignal): Promise<string> {
  signal.addEventListener("abort", () => response.destroy(), { once: true });
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response) {
    if (bytes < MESSAGE_BYTES) chunks.push(chunk);
    bytes += chunk.length;
  }
  const text = Buffer.concat(chunks).subarray(0, MESSAGE_BYTES).toString("utf8");
  // It is shown in terminals and messages, and others wrote it.
  return text.replaceAll(/\p{Cc}+/gu, " ").trim();
}
