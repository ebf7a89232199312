import { statSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { createSelfSigned } from "../system/self-signed.ts";
import { sampleInstance, sampleRouting, startPlatform, type Platform } from "../testing/platform.ts";
import { askTls } from "../testing/tls-client.ts";
import { waitFor } from "../testing/wait-for.ts";

const HOST = "shop.example.com";

let platform: Platform;
afterEach(async () => void (await platform.stop()));

it("the parent binds TLS too; a worker that was killed comes back with its certificates, even without the agent", async () => {
  platform = await startPlatform({ workers: 2, tls: { host: "127.0.0.1", port: 0 } });
  const port = Number(/"tlsPort":(\d+)/.exec(platform.log())?.[1]);
  await platform.put({ instances: [sampleInstance(platform, "a")], services: [sampleRouting()] });
  await platform.waitForState("a", "ready");
  const certificate = { hosts: [HOST], ...createSelfSigned({ hosts: [HOST], from: new Date(), days: 1 }) };
  const settings = { port, redirect: true, secureHosts: [], hstsSeconds: 0 };
  await platform.client.putHttps({ certificates: [certificate], ...settings });
  expect(await askTls({ port, host: HOST })).toMatchObject({ status: 200, names: `DNS:${HOST}` });
  expect(statSync(join(platform.directory, "data/agent/https.json")).mode & 0o777).toBe(0o600);
  expect(platform.log()).not.toContain("PRIVATE KEY");

  const agent = await platform.pidOf("agent");
  process.kill(agent, "SIGSTOP");
  for (const name of ["proxy-0", "proxy-1"]) process.kill(await platform.pidOf(name), "SIGKILL");
  const again = await waitFor("TLS to be served", () => askTls({ port, host: HOST }).catch(() => null));
  expect(again).toMatchObject({ status: 200, names: `DNS:${HOST}` });
  process.kill(agent, "SIGCONT");
});

it("settings of HTTPS that are none are refused without a word of what was in them", async () => {
  platform = await startPlatform();
  const wrong = { certificates: [{ hosts: [HOST], cert: "C", key: 5 }], port: 1, redirect: true };
  const refused = platform.client.putHttps(Object(wrong));
  await expect(refused).rejects.toThrow(/https.certificates\[0\].key: expected text/);
});
