import { platformFile } from "@mainstay/api";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { silentLog } from "../../../../tests/support/log.ts";
import { startHttpReceiver, type HttpReceiver } from "../../../../tests/support/receivers.ts";
import { waitUntil } from "../../../../tests/support/wait-until.ts";
import { createVirtualClock, type VirtualClock } from "../../kernel/clock.ts";
import { createMetrics } from "../../kernel/metrics.ts";
import { createBeat, type Beat } from "./beat.ts";
import { createChannelMetrics } from "./metrics.ts";
import { createSecretReader } from "./secret-source.ts";

const START = Date.parse("2026-11-01T12:00:00Z");

let clock: VirtualClock;
let receiver: HttpReceiver;
let status: number;
let sick: string | null;
let beat: Beat | null;

beforeEach(async () => {
  clock = createVirtualClock(START);
  [status, sick, beat] = [200, null, null];
  receiver = await startHttpReceiver((_, response) => void response.writeHead(status).end());
});
afterEach(async () => {
  await beat?.stop();
  await receiver.close();
});

function start(settings: object = {}): Beat {
  const { beat: config } = platformFile.parse({ beat: { url: `${receiver.url}/ping/token`, ...settings } });
  beat = createBeat({
    ...{ config, clock, log: silentLog, readSecret: createSecretReader({ PING: `${receiver.url}/secret` }) },
    checkHealth: async () => {
      if (sick !== null) throw new Error(sick);
    },
    metrics: createChannelMetrics(createMetrics({ clock, log: silentLog })),
  });
  void beat.start();
  return beat;
}

const untilShown = (state: string, at = 0) =>
  waitUntil(`the beat to be ${state}`, () => {
    const shown = beat?.show();
    return shown?.state === state && receiver.requests.length >= at ? shown : null;
  });

describe("the beat", () => {
  it("is sent at the start and then at its interval", async () => {
    start({ interval: "30s" });
    await untilShown("beating", 1);
    await clock.advance(29_000);
    expect(receiver.requests).toHaveLength(1);
    await clock.advance(1_000);
    await untilShown("beating", 2);
    expect(receiver.requests.map(({ method, url }) => `${method} ${url}`)).toEqual([
      "GET /ping/token",
      "GET /ping/token",
    ]);
  });

  it("is a POST where that is asked for, to a URL that is kept elsewhere", async () => {
    const shown = start({ url: { env: "PING" }, method: "POST" });
    await untilShown("beating", 1);
    expect(receiver.requests).toMatchObject([{ method: "POST", url: "/secret" }]);
    expect(shown.show().target).toBe("from $PING");
  });

  it("is withheld while something is not well, and back within a second of its being well", async () => {
    sick = "the agent does not answer";
    start();
    expect(await untilShown("withheld")).toMatchObject({ problem: sick, lastBeatAt: null });
    await clock.advance(120_000);
    expect(receiver.requests).toHaveLength(0);
    sick = null;
    await clock.advance(1_000);
    const { lastBeatAt } = await untilShown("beating", 1);
    expect(lastBeatAt).toBe(new Date(START + 121_000).toISOString());
  });

  it("that is not taken is shown, with nothing of its URL but the host", async () => {
    status = 404;
    start();
    const shown = await untilShown("failing");
    expect(shown).toMatchObject({ target: receiver.url, problem: "answered 404" });
    status = 200;
    await clock.advance(60_000);
    await untilShown("beating", 2);
  });

  it("is off unless it is configured", () => {
    expect(start({ url: null }).show()).toMatchObject({ target: null, state: "off" });
  });
});
