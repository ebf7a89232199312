import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, get, type IncomingMessage } from "node:http";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { waitFor } from "../testing/wait-for.ts";
import { capLog, capLogs, sendLogs } from "./log-files.ts";

describe("the logs of an instance", () => {
  let directory: string;
  beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), "logs-"))));
  afterEach(() => rmSync(directory, { recursive: true }));
  const at = (name: string) => join(directory, name);

  it("are left alone while they are small, or not there", async () => {
    writeFileSync(at("stdout.log"), "x".repeat(100));
    expect(await capLogs(directory, 100)).toBe(0);
    expect(statSync(at("stdout.log")).size).toBe(100);
  });

  it("keep their newest half when they grow too large, and go on in the same file", async () => {
    writeFileSync(at("stdout.log"), "a".repeat(60) + "b".repeat(60));
    expect(await capLog(at("stdout.log"), 100)).toBe(70);
    appendFileSync(at("stdout.log"), "c");
    expect(readFileSync(at("stdout.log.1"), "utf8")).toBe("b".repeat(50));
    expect(readFileSync(at("stdout.log"), "utf8")).toBe("c");
  });

  async function ask(tailLines: number, follow: boolean): Promise<IncomingMessage> {
    const server = createServer(
      (_request, response) => void sendLogs(directory, { tailLines, follow }, response),
    );
    server.listen(0);
    await once(server, "listening");
    const address = server.address();
    const port = typeof address === "object" && address ? address.port : 0;
    const [response] = (await once(get({ port, agent: false }), "response")) as [IncomingMessage];
    response.once("close", () => server.close());
    return response;
  }

  it.each([
    [0, ""],
    [1, "3\ne2\n"],
    [2, "2\n3\ne1\ne2\n"],
    [99, "1\n2\n3\ne1\ne2\n"],
  ])("end with the last %d lines of both outputs", async (lines, expected) => {
    writeFileSync(at("stdout.log"), "1\n2\n3\n");
    writeFileSync(at("stderr.log"), "e1\ne2\n");
    expect(await text(await ask(lines, false))).toBe(expected);
  });

  it("count a last line that is not finished", async () => {
    writeFileSync(at("stdout.log"), "1\n2\n3");
    writeFileSync(at("stderr.log"), "");
    expect(await text(await ask(2, false))).toBe("2\n3");
  });

  it("are followed as they grow, across a cut", async () => {
    writeFileSync(at("stdout.log"), "old\n");
    writeFileSync(at("stderr.log"), "");
    const response = await ask(1, true);
    let seen = "";
    response.setEncoding("utf8").on("data", (chunk: string) => (seen += chunk));
    await waitFor("the old line", () => seen === "old\n");
    appendFileSync(at("stderr.log"), "more\n");
    await waitFor("the next line", () => seen === "old\nmore\n");
    writeFileSync(at("stdout.log"), "");
    await waitFor("the line after the cut", () => {
      if (statSync(at("stdout.log")).size === 0) appendFileSync(at("stdout.log"), "n\n");
      return seen.endsWith("n\n");
    });
    response.destroy();
  });
});
