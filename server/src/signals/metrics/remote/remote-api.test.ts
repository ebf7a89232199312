import type { RequestListener } from "node:http";
import { platformFile, type RemoteConfig } from "@mainstay/api";
import { expect, it, onTestFinished } from "vitest";
import { silentLog } from "../../../../../tests/support/log.ts";
import { startHttpReceiver } from "../../../../../tests/support/receivers.ts";
import { waitUntil } from "../../../../../tests/support/wait-until.ts";
import { createVirtualClock } from "../../../kernel/clock.ts";
import { createMetrics } from "../../../kernel/metrics.ts";
import { configuredAccess } from "../connection/configured-access.ts";
import { createRemoteApi } from "./remote-api.ts";

function openRemote(settings: Partial<RemoteConfig> & { url: string }) {
  const clock = createVirtualClock();
  const metrics = createMetrics({ clock, log: silentLog });
  const config = { ...platformFile.parse({}).metrics.remote, ...settings };
  const access = configuredAccess(config, {});
  const api = createRemoteApi({ config, access, clock, log: silentLog, metrics });
  onTestFinished(() => api.stop());
  return { api, clock };
}

const success: RequestListener = (_request, response) => {
  response.writeHead(200, { "content-type": "application/json" }).end('{"status":"success"}');
};

it("says what is wrong while the remote cannot be asked, and that it is over", async () => {
  let answer: RequestListener = (_request, response) => response.writeHead(403).end();
  const receiver = await startHttpReceiver((request, response) => answer(request, response));
  onTestFinished(() => receiver.close());
  const { api, clock } = openRemote({ url: receiver.url });
  expect(api.problem()).toBeNull();
  api.start();
  await waitUntil("the first trial", () => api.problem() !== null);
  expect(api.problem()).toContain("correct basicAuth, authorization or headers of metrics.remote");
  answer = success;
  await clock.advance(15_000);
  await waitUntil("the next trial", () => api.problem() === null);
  expect(receiver.requests.map(({ url }) => url)).toEqual(Array(2).fill("/api/v1/query?query=1"));
});
