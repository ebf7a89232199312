import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createAgentClient, type AgentClient } from "./client.ts";

describe("the agent's client", () => {
  let socketPath: string;
  let client: AgentClient;
  let server: Server | null = null;

  beforeEach(() => {
    socketPath = join(mkdtempSync(join(tmpdir(), "client-")), "agent.sock");
    client = createAgentClient({ socketPath });
  });
  afterEach(() => {
    client.close();
    server?.closeAllConnections();
    server?.close();
    server = null;
    rmSync(join(socketPath, ".."), { recursive: true });
  });

  function answer(listener: RequestListener): Promise<void> {
    server = createServer(listener);
    return new Promise((resolve) => server?.listen(socketPath, resolve));
  }

  async function collect(lines: AsyncIterable<unknown>): Promise<unknown[]> {
    const all: unknown[] = [];
    for await (const line of lines) all.push(line);
    return all;
  }

  it("says so when no agent is there, whatever is asked", async () => {
    const unreachable = { code: "AGENT_UNREACHABLE" };
    await expect(client.observed()).rejects.toMatchObject(unreachable);
    await expect(client.counters()).rejects.toMatchObject(unreachable);
    await expect(client.journal(0)).rejects.toMatchObject(unreachable);
    await expect(collect(client.events(new AbortController().signal))).rejects.toMatchObject(unreachable);
    await expect(collect(client.logs("a", { tail: 1, follow: false }))).rejects.toMatchObject(unreachable);
  });

  it("says so when the agent speaks another language", async () => {
    await answer((_request, response) => void response.end('{"entries":[{"seq":"one"}]}'));
    await expect(client.journal(0)).rejects.toMatchObject({ code: "AGENT_UNREACHABLE" });
    await expect(client.observed()).rejects.toMatchObject({ code: "AGENT_UNREACHABLE" });
  });

  it("reads lines however they arrive, the last one without an end too", async () => {
    await answer((_request, response) => {
      for (const part of ["on", "e\ntwo\n\nth", "ree é"]) response.write(part);
      response.end();
    });
    expect(await collect(client.logs("a", { tail: 9, follow: false }))).toEqual([
      "one",
      "two",
      "",
      "three é",
    ]);
  });

  it("breaks off when the agent goes away in the middle, and ends quietly when it is told to", async () => {
    const event = { at: "2026-01-01T00:00:00.000Z", type: "instance.ready", subject: "a", data: {} };
    await answer((_request, response) => void response.write(`${JSON.stringify(event)}\n`));
    const stop = new AbortController();
    const seen: unknown[] = [];
    for await (const each of client.events(stop.signal)) {
      seen.push(each);
      stop.abort();
    }
    expect(seen).toEqual([event]);
    const broken = (async () => {
      for await (const each of client.events(new AbortController().signal)) {
        seen.push(each);
        server?.closeAllConnections();
      }
    })();
    await expect(broken).rejects.toMatchObject({ code: "AGENT_UNREACHABLE" });
  });

  it("passes on why a desired state was refused", async () => {
    await answer((_request, response) => {
      response.writeHead(400);
      response.end('{"title":"desired.generation: expected a whole number"}');
    });
    const desired = { generation: 1, leaseTtlMs: 1, instances: [], services: [] };
    await expect(client.putDesired(desired)).rejects.toMatchObject({
      code: "AGENT_REFUSED",
      message: expect.stringContaining("desired.generation"),
    });
  });
});
