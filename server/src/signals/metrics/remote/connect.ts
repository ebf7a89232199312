import type { IncomingMessage } from "node:http";
import type { Access } from "../connection/access.ts";
import { createConnection, SendFailed } from "../connection/connection.ts";

/** One question to the remote: a form makes it a POST. */
export interface Question {
  /** Below `metrics.remote.url`. */
  path: string;
  form: string;
  acceptsGzip: boolean;
  signal: AbortSignal;
}

export interface RemoteConnection {
  /** Resolves with the head of the answer; redirects are answers. */
  ask(question: Question): Promise<IncomingMessage>;
  close(): void;
}

const SOCKETS_MAX = 32;
const FORM = "application/x-www-form-urlencoded";

/** Speaks to the remote with what the configuration gives it, and with nothing of whoever asks. */
export function connect(url: string, access: Access): RemoteConnection {
  const base = url.replace(/\/+$/, "");
  const connection = createConnection(access, { socketsMax: SOCKETS_MAX });

  async function askOnce({ path, form, acceptsGzip, signal }: Question): Promise<IncomingMessage> {
    const headers = {
      accept: "application/json",
      "accept-encoding": acceptsGzip ? "gzip" : "identity",
      ...(form === "" ? {} : { "content-type": FORM }),
    };
    const method = form === "" ? "GET" : "POST";
    return connection.send({ url: new URL(`${base}${path}`), method, headers, body: form, signal });
  }

  return {
    async ask(question) {
      try {
        return await askOnce(question);
      } catch (error) {
        // A connection that was kept may be closed by the other side just now; questions can be asked again.
        if (!(error instanceof SendFailed) || !error.wasReused || question.signal.aborted) throw error;
        return askOnce(question);
      }
    },
    close: connection.close,
  };
}
