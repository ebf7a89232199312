import { createContainerWay, type ContainerWay } from "../containers/container-way.ts";
import { createContainerEngine } from "../containers/engine.ts";
import { createImages, type Images } from "../containers/images.ts";
import { createControlGroups, type ControlGroups } from "../system/control-groups.ts";
import type { Log } from "../system/log.ts";
import { readOwnGroups } from "../system/process-table.ts";
import type { AgentOptions } from "./agent-options.ts";
import { createProcessWay } from "./process-way.ts";
import { createUnitWay, hasUnits } from "./unit-way.ts";
import { createWays, type Ways } from "./ways.ts";

/** What this machine offers to run instances. */
export interface Machine {
  groups: ControlGroups;
  images: Images;
  ways: Ways;
  /** Removes containers of this agent that nobody knows, in the background: their engine may be away. */
  sweepContainers(isKnown: (instance: string) => boolean): void;
}

export function openMachine(agentId: string, options: AgentOptions, log: Log): Machine {
  const groups = createControlGroups({
    mount: "/sys/fs/cgroup",
    ownGroups: readOwnGroups(),
    name: `mainstay-${agentId.slice(0, 8)}`,
  });
  groups.sweep();
  if (groups.limits.by === "none") log.warn(groups.limits, "resource limits cannot be enforced here");
  const engine = createContainerEngine(options.containerSocket);
  const images = createImages(engine);
  const containers = createContainerWay({ agentId, engine, images, log });
  const processes = createProcessWay({ agentId, groups });
  const units = createUnitWay({ agentId, runtimeDirectory: options.runtimeDirectory });
  return {
    groups,
    images,
    ways: createWays({ commands: hasUnits() ? [units, processes] : [processes, units], containers }),
    sweepContainers: (isKnown) => sweep(containers, isKnown, log),
  };
}

function sweep(containers: ContainerWay, isKnown: (id: string) => boolean, log: Log): void {
  containers.sweep(isKnown).then(
    (count) => count > 0 && log.info({ count }, "containers that nobody knew any more were removed"),
    (error: unknown) => log.warn({ error: String(error) }, "containers could not be looked through"),
  );
}
