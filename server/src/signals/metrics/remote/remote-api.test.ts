import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { IncomingHttpHeaders, RequestListener } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { platformFile, type RemoteConfig } from "@mainstay/api";
import { expect, it, onTestFinished } from "vitest";
import { silentLog } from "../../../../../tests/support/log.ts";
import { startHttpReceiver } from "../../../../../tests/support/receivers.ts";
import { createSelfSigned } from "../../../../../tests/support/self-signed.ts";
import { waitUntil } from "../../../../../tests/support/wait-until.ts";
import { createVirtualClock } from "../../../kernel/clock.ts";
import { createMetrics } from "../../../kernel/metrics.ts";
import { createRemoteApi } from "./remote-api.ts";

function openRemote(settings: Partial<RemoteConfig> & { url: string }) {
  const clock = createVirtualClock();
  const metrics = createMetrics({ clock, log: silentLog });
  const config = { ...platformFile.parse({}).metrics.remote, ...settings };
  const readSecret = async ({ env }: { env?: string | undefined }) => `the secret of ${env}`;
  const api = createRemoteApi({ config, readSecret, clock, log: silentLog, metrics });
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
  expect(api.problem()).toContain("metrics.remote.auth");
  answer = success;
  await clock.advance(15_000);
  await waitUntil("the next trial", () => api.problem() === null);
  expect(receiver.requests.map(({ url }) => url)).toEqual(Array(2).fill("/api/v1/query?query=1"));
});

it("trusts the certificates of its file, too, and shows its token only then", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "mainstay-remote-"));
  const { cert, key } = createSelfSigned({ hosts: ["localhost"], from: new Date(), days: 1 });
  const caFile = path.join(folder, "ca.pem");
  await writeFile(caFile, cert);
  const seen: IncomingHttpHeaders[] = [];
  const server = createServer({ cert, key }, (request, response) => {
    seen.push(request.headers);
    success(request, response);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await rm(folder, { recursive: true });
  });
  const { port } = server.address() as AddressInfo;
  const url = `https://localhost:${port}`;
  const call = { endpoint: "labels", subject: "", search: "", form: "", acceptsGzip: false } as const;
  const ask = async (trusted: string | null) =>
    openRemote({ url, auth: { bearer: { env: "TOKEN" } }, caFile: trusted }).api.answer(
      call,
      new AbortController().signal,
    );

  await expect(ask(null)).rejects.toThrow("cannot be asked: self-signed certificate");
  expect(seen).toEqual([]);
  const { status, body } = await ask(caFile);
  expect([status, (await body.toArray()).join("")]).toEqual([200, '{"status":"success"}']);
  expect(seen.map(({ authorization }) => authorization)).toEqual(["Bearer the secret of TOKEN"]);
});
