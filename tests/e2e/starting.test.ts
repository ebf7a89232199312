import { mkdir, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { once } from "node:events";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCommand } from "../support/command.ts";
import { findFreePort } from "../support/free-port.ts";
import { createTemporaryDirectory } from "../support/temporary.ts";
import { useProduct } from "../support/use-product.ts";

const product = useProduct();

describe("mainstay up", () => {
  it("is refused a second time on the same data directory, and the first one stays", async () => {
    const server = await product().pidOf("server");
    const second = await runCommand(["up"], { env: product().settings });
    expect(second.exitCode).toBe(1);
    expect(second.stderr).toContain(`another Mainstay runs on ${product().dataDirectory}`);
    expect(second.stderr).toContain("Stop it first, or give this one its own dataDirectory");
    expect(await product().pidOf("server")).toBe(server);
    expect((await product().cli("status")).exitCode).toBe(0);
  });

  it.concurrent.each(["MAINSTAY_SERVER_PORT", "MAINSTAY_PROXY_PORT"])(
    "says which address is taken by somebody else: %s",
    async (variable) => {
      const other = createServer().listen(0, "127.0.0.1");
      await once(other, "listening");
      const { port } = other.address() as AddressInfo;
      const home = createTemporaryDirectory();
      await mkdir(path.join(home.path, "run"));
      const env = {
        XDG_RUNTIME_DIR: path.join(home.path, "run"),
        MAINSTAY_DATA_DIRECTORY: path.join(home.path, "data"),
        MAINSTAY_SERVER_HOST: "127.0.0.1",
        MAINSTAY_PROXY_HOST: "127.0.0.1",
        MAINSTAY_SERVER_PORT: String(findFreePort()),
        MAINSTAY_PROXY_PORT: String(findFreePort()),
        [variable]: String(port),
      };
      const { exitCode, stderr } = await runCommand(["up"], { env });
      expect({ exitCode, stderr }).toEqual({
        exitCode: 1,
        stderr: expect.stringContaining(`127.0.0.1:${port} is already in use`),
      });
      other.close();
      home.remove();
    },
  );
});

describe("a wrong configuration", () => {
  const home = createTemporaryDirectory();
  const file = path.join(home.path, "mainstay.platform.yaml");

  beforeAll(() => writeFile(file, "server: { port: seven, hots: localhost }\nproxy: { drainTimeout: 5 }\n"));
  afterAll(() => home.remove());

  it("is told by config check with file, path, value and what was expected", async () => {
    const { exitCode, stderr } = await runCommand(["config", "check"], { cwd: home.path });
    expect(exitCode).toBe(2);
    expect(stderr).toContain("mainstay.platform.yaml is not a valid configuration");
    expect(stderr).toContain(
      'server.port: expected a port from 0 to 65535; mainstay.platform.yaml says "seven"',
    );
    expect(stderr).toContain('server.hots: unknown key; did you mean "host"?');
    expect(stderr).toMatch(/proxy\.drainTimeout: expected a duration such as .* says 5/);
  });

  it("is told as one document, and by exit code, with --json", async () => {
    const { exitCode, stdout } = await runCommand(["config", "check", "--json"], { cwd: home.path });
    expect(exitCode).toBe(2);
    const { file: named, findings } = JSON.parse(stdout) as { file: string; findings: { path: string }[] };
    expect(named).toBe(file);
    expect(findings.map((each) => each.path).toSorted()).toEqual([
      "proxy.drainTimeout",
      "server.hots",
      "server.port",
    ]);
  });

  it("keeps mainstay up from starting, with the same words", async () => {
    const { exitCode, stderr } = await runCommand(["up"], { cwd: home.path });
    expect(exitCode).toBe(2);
    expect(stderr).toContain('server.hots: unknown key; did you mean "host"?');
  });

  it("never shows what is secret", async () => {
    const env = { DATABASE_URL: "postgres://ann:hunter2@db/shop" };
    const shown = await runCommand(["config", "show"], { env, cwd: "/" });
    expect(shown).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining("postgres://ann:***@db/shop"),
    });
    expect(shown.stdout).not.toContain("hunter2");
  });
});
