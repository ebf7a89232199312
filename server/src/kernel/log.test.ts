import { describe, expect, it } from "vitest";
import { createVirtualClock } from "./clock.ts";
import { createLog, type LogOptions } from "./log.ts";

function logInto(options: Partial<LogOptions> = {}) {
  const lines: string[] = [];
  const clock = createVirtualClock(Date.UTC(2026, 0, 1));
  const log = createLog({
    clock,
    level: "info",
    format: "auto",
    write: (line) => lines.push(line),
    ...options,
  });
  return { log, lines, documents: () => lines.map((line): unknown => JSON.parse(line)) };
}

describe("the log", () => {
  it("writes one JSON document a line, with the time of the clock", () => {
    const { log, lines } = logInto();
    log.info({ port: 7700 }, "listening");
    expect(lines).toEqual([
      '{"level":"info","time":"2026-01-01T00:00:00.000Z","port":7700,"message":"listening"}\n',
    ]);
  });

  it("leaves out what is below its level", () => {
    const { log, documents } = logInto({ level: "warn" });
    log.debug({}, "a");
    log.info({}, "b");
    log.warn({}, "c");
    log.error({}, "d");
    expect(documents()).toMatchObject([{ level: "warn" }, { level: "error" }]);
  });

  it("hands the fields of a child to each of its lines, and to its children", () => {
    const { log, documents } = logInto();
    log
      .child({ room: "http" })
      .child({ requestId: "r1", apiKey: "hunter2" })
      .info({ status: 200 }, "answered");
    expect(documents()).toMatchObject([{ room: "http", requestId: "r1", apiKey: "***", status: 200 }]);
  });

  it("masks secrets in fields at any depth and in errors", () => {
    const { log, lines } = logInto();
    const error = new Error("no route", { cause: new Error("postgres://u:hunter2@h/d refused") });
    log.error({ error, request: { headers: { cookie: "hunter2" } } }, "failed");
    expect(lines.join("")).not.toContain("hunter2");
    expect(lines.join("")).toContain("postgres://u:***@h/d refused");
  });

  it("survives fields that cannot be read", () => {
    const { log, documents } = logInto();
    const fields = {
      get broken(): string {
        throw new Error("no");
      },
    };
    log.info(fields, "still here");
    expect(documents()).toMatchObject([{ message: "still here", unloggable: "no" }]);
  });

  it("is text for people when asked for", () => {
    const { log, lines } = logInto({ format: "pretty" });
    log.warn({ port: 7700, error: new Error("taken") }, "not listening");
    expect(lines.join("")).toContain("WARN: not listening");
    expect(lines.join("")).toContain("port: 7700");
    expect(lines.join("")).toMatch(/Error: taken\n\s+at /);
  });
});
