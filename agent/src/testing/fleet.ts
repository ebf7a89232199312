import type { InstanceSpec } from "@mainstay/api";
import { join } from "node:path";
import { createControlGroups, type ControlGroups } from "../system/control-groups.ts";
import { createLog } from "../system/log.ts";
import { readOwnGroups } from "../system/process-table.ts";
import { createFleet, type Fleet } from "../supervisor/fleet.ts";
import { createProcessWay } from "../supervisor/process-way.ts";
import { createWays, type Ways } from "../supervisor/ways.ts";
import { createPorts } from "../supervisor/ports.ts";

/** The control groups of this machine, or what an account without any has. */
export function testGroups(name: string, mount = "/sys/fs/cgroup"): ControlGroups {
  return createControlGroups({ mount, ownGroups: readOwnGroups(), name });
}

/** Processes only: no engine answers here. */
export function testWays(agentId: string, groups: ControlGroups): Ways {
  const processes = createProcessWay({ agentId, groups });
  return createWays({ commands: [processes], containers: processes });
}

/** A fleet of real processes, as an agent of this name has it. */
export function testFleet(agentId: string, groups = testGroups(agentId)): Fleet {
  return fleetWith(agentId, testWays(agentId, groups));
}

/** Likewise, with other ways of running. */
export function fleetWith(agentId: string, ways: Ways): Fleet {
  return createFleet({
    agentId,
    baseEnvironment: { PATH: process.env["PATH"] ?? "" },
    ports: createPorts({
      range: { first: 21_100, last: 21_199 },
      ephemeral: { first: 32_768, last: 60_999 },
      isFree: () => true,
      start: 0,
    }),
    ways,
    log: createLog("test", () => {}),
    onChange: () => {},
    onEvent: () => {},
  });
}

/** An instance that serves nothing. */
export function workerSpec(directory: string, id: string, changes: Partial<InstanceSpec> = {}): InstanceSpec {
  return {
    id,
    service: "shop",
    environment: "production",
    process: "worker",
    release: "rel_1",
    directory,
    command: "sleep 600",
    env: {},
    port: null,
    health: null,
    stopTimeoutMs: 2000,
    logDirectory: join(directory, "logs", id),
    ...changes,
  };
}
