import type { RequestListener } from "node:http";
import { platformFile } from "@mainstay/api";
import { expect, it, onTestFinished } from "vitest";
import { silentLog } from "../../../../../tests/support/log.ts";
import { startHttpReceiver } from "../../../../../tests/support/receivers.ts";
import { waitUntil } from "../../../../../tests/support/wait-until.ts";
import { createVirtualClock } from "../../../kernel/clock.ts";
import { createMetrics } from "../../../kernel/metrics.ts";
import { createRemoteApi } from "./remote-api.ts";

it("says what is wrong while the remote cannot be asked, and that it is over", async () => {
  let answer: RequestListener = (_request, response) => response.writeHead(403).end();
  const receiver = await startHttpReceiver((request, response) => answer(request, response));
  const clock = createVirtualClock();
  const { remote } = platformFile.parse({}).metrics;
  const api = createRemoteApi({
    config: { ...remote, url: receiver.url },
    ...{
      readSecret: async () => "",
      clock,
      log: silentLog,
      metrics: createMetrics({ clock, log: silentLog }),
    },
  });
  onTestFinished(async () => {
    api.stop();
    await receiver.close();
  });
  expect(api.problem()).toBeNull();
  api.start();
  await waitUntil("the first trial", () => api.problem() !== null);
  expect(api.problem()).toContain("metrics.remote.auth");
  answer = (_request, response) => {
    response.writeHead(200, { "content-type": "application/json" }).end('{"status":"success"}');
  };
  await clock.advance(15_000);
  await waitUntil("the next trial", () => api.problem() === null);
  expect(receiver.requests.map(({ url }) => url)).toEqual(Array(2).fill("/api/v1/query?query=1"));
});
