import type { ControlGroup, ControlGroups } from "../system/control-groups.ts";
import { adopt, launch, type RunningProcess } from "./launch.ts";
import { createOnce } from "./once.ts";
import { createPortProof } from "./port-proof.ts";
import { endTree, killTree, type Tree } from "./process-tree.ts";
import type { Life, Order, Way } from "./way.ts";

export interface ProcessWayOptions {
  /** Names this agent in the environment of its processes. */
  agentId: string;
  groups: ControlGroups;
}

/** Runs instances as detached children, each with a control group of its own where there are any. */
export function createProcessWay({ agentId, groups }: ProcessWayOptions): Way {
  const marksOf = (id: string) => ({ MAINSTAY_INSTANCE: id, MAINSTAY_AGENT: agentId });

  function live(order: Order, process: RunningProcess, group: ControlGroup): Life {
    const { pid, startTicks } = process;
    const tree: Tree = { pid, startTicks, marks: marksOf(order.id), group };
    const memoryKills = group.memoryKills();
    const after = (act: Promise<void>) => act.then(group.remove);
    return {
      ...{ pid, startTicks, handle: null },
      exited: process.exited.then((exit) =>
        group.memoryKills() > memoryKills ? { ...exit, cause: "memory" } : exit,
      ),
      proof: order.port === null ? () => null : createPortProof(order.port, tree),
      end: (timeoutMs) => after(endTree(tree, timeoutMs)),
      kill: () => after(killTree(tree)),
    };
  }

  return {
    name: "process",
    async launch(order) {
      const { command, once } = order;
      if (command === null) throw new Error("there is neither a command nor an image");
      const group = groups.open(order.id, order.resources);
      const exitFile = once ? { exitFile: createOnce(order.logDirectory).exitFile } : {};
      const { joinFiles } = group;
      const process = await launch({ ...order, command, joinFiles, ...exitFile });
      return live(order, process, group);
    },
    adopt(order, { pid, startTicks }) {
      const process = adopt(pid, startTicks);
      return process && live(order, process, groups.open(order.id, order.resources));
    },
    findOnce: async ({ logDirectory }) => ({ code: createOnce(logDirectory).exitCode(), signal: null }),
    async endLeft({ id, pid, startTicks }, timeoutMs, sparesSuccessor) {
      // A successor carries the same marks.
      if (sparesSuccessor) return endTree({ pid, startTicks, marks: {} }, timeoutMs);
      const group = groups.open(id, null);
      await endTree({ pid, startTicks, marks: marksOf(id), group }, timeoutMs);
      group.remove();
    },
  };
}
