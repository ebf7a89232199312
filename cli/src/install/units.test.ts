import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { AGENT_UNIT, SERVER_UNIT, SOCKET_UNIT, UNITS } from "./layout.ts";
import { RUNNING_TREE } from "./program-files.ts";
import { renderUnits } from "./units.ts";

const hasAnalyze = spawnSync("systemd-analyze", ["--version"]).status === 0;
const render = () => renderUnits(RUNNING_TREE, { host: "0.0.0.0", port: 80 });

describe("the units", () => {
  it("leave the instances alone when the agent restarts, and never give up", async () => {
    const units = await render();
    expect([...units.keys()]).toEqual([...UNITS]);
    const agent = units.get(AGENT_UNIT);
    for (const line of ["KillMode=process", "KillSignal=SIGHUP", "Delegate=yes"])
      expect(agent).toContain(line);
    for (const name of [AGENT_UNIT, SERVER_UNIT]) {
      for (const line of ["User=mainstay", "NoNewPrivileges=yes", "ProtectSystem=strict", "Restart=always"])
        expect(units.get(name)).toContain(`\n${line}\n`);
      expect(units.get(name)).toContain("\nStartLimitIntervalSec=0\n");
    }
    // The server knows what it needs of the kernel; what the services need is theirs to know.
    expect(units.get(SERVER_UNIT)).toContain("\nSystemCallFilter=@system-service\n");
    expect(agent).toMatch(/^SystemCallFilter=~@clock .*@module .*@reboot/m);
    expect(units.get(SOCKET_UNIT)).toContain("\nFileDescriptorName=http\n");
  });

  it.runIf(hasAnalyze)("are what systemd understands", async () => {
    const directory = await mkdtemp(path.join(tmpdir(), "units-"));
    // What is asked is whether every line is understood: the programs are elsewhere on the machine of a test.
    const present = (text: string) => text.replaceAll(/^(Exec\w+=)\S+/gm, `$1${process.execPath}`);
    await mkdir(directory, { recursive: true });
    for (const [name, text] of await render()) await writeFile(path.join(directory, name), present(text));
    const files = [...UNITS].map((name) => path.join(directory, name));
    const { stderr } = spawnSync("systemd-analyze", ["verify", "--man=no", ...files], { encoding: "utf8" });
    expect(stderr.split("\n").filter((line) => line.includes("mainstay"))).toEqual([]);
    await rm(directory, { recursive: true });
  });
});
