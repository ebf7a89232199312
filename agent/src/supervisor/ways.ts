import type { InstanceSpec } from "@mainstay/api";
import type { Way, WayName } from "./way.ts";

/** By what an instance is run on this machine. */
export interface Ways {
  of(spec: InstanceSpec): Way;
  /** The one that something was started by; a process unless told otherwise. */
  named(name: WayName | undefined): Way;
}

interface WaysOptions {
  /** For commands: the first one is taken for what is started now. */
  commands: [Way, ...Way[]];
  containers: Way;
}

/** An image runs in a container, a command by whatever this machine has for commands. */
export function createWays({ commands, containers }: WaysOptions): Ways {
  return {
    of: ({ container }) => (container ? containers : commands[0]),
    named(name = "process") {
      const way = [...commands, containers].find((each) => each.name === name);
      if (!way) throw new Error(`this machine has no way of running called ${name}`);
      return way;
    },
  };
}
