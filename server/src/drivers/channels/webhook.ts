import type { ChannelOf } from "@mainstay/api";
import { readRetryAfter } from "./domain/schedule.ts";
import { readKey, signatureHeader } from "./domain/signature.ts";
import { callHttp, failureOf } from "./http-call.ts";
import { describeTarget, readTarget } from "./secret-source.ts";
import type { Sender, SenderTools } from "./sender.ts";

/** Standard Webhooks recommends 15 to 30 s. */
const TIMEOUT_MS = 15_000;
const GONE = 410;

/** Messages as Standard Webhooks: a CloudEvent, signed with every secret there is. */
export function createWebhookSender(config: ChannelOf<"webhook">, tools: SenderTools): Sender {
  const { clock, readSecret } = tools;
  return {
    target: describeTarget(config.url),
    async send({ id, payload: body }, signal) {
      const url = await readTarget(config.url, readSecret);
      const keys = await Promise.all(config.secrets.map(async (each) => readKey(await readSecret(each))));
      const timestampSeconds = Math.floor(clock.now().getTime() / 1000);
      const answer = await callHttp(url, {
        method: "POST",
        headers: {
          "content-type": "application/cloudevents+json; charset=utf-8",
          "user-agent": "mainstay",
          "webhook-id": id,
          "webhook-timestamp": String(timestampSeconds),
          "webhook-signature": signatureHeader({ id, timestampSeconds, body }, keys),
        },
        body,
        signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
      });
      const error = failureOf(answer);
      if (error === null) return { kind: "delivered", note: null };
      if (answer.status === GONE) return { kind: "gone", error };
      return { kind: "refused", error, retryAfterMs: readRetryAfter(answer.retryAfter, clock.now()) };
    },
  };
}
