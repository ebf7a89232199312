import type { AnswerController, AnswerHandler } from "../proxy/plain-connection.ts";

/** What a handler has heard. */
export interface Heard {
  /** Of the answer and of interim ones before it. */
  heads: { status: number; reason: string; headers: string[] }[];
  body: string;
  /** How it ended; null while it goes on. */
  outcome: "end" | (Error & { code?: string }) | null;
  controller: AnswerController | null;
}

/** A handler that notes what it hears; `over` resolves when it has heard the end. */
export function createRecorder({
  onData = () => {},
}: { onData?: (controller: AnswerController) => void } = {}): {
  handler: AnswerHandler;
  heard: Heard;
  over: Promise<Heard>;
} {
  const heard: Heard = { heads: [], body: "", outcome: null, controller: null };
  const { promise, resolve } = Promise.withResolvers<Heard>();
  const finish = (outcome: Heard["outcome"]) => {
    heard.outcome ??= outcome;
    resolve(heard);
  };
  const handler: AnswerHandler = {
    onRequestStart: (controller) => void (heard.controller = controller),
    onResponseStarted() {},
    onHead: (status, reason, headers) => void heard.heads.push({ status, reason, headers }),
    onResponseData(controller, chunk) {
      heard.body += chunk.toString("latin1");
      onData(controller);
    },
    onResponsePart() {},
    onResponseEnd: () => finish("end"),
    onResponseError: (_controller, error) => finish(error),
  };
  return { handler, heard, over: promise };
}
