import type { ServiceRouting } from "@mainstay/api";
import { describe, expect, it } from "vitest";
import { instanceMetrics } from "./instance-metrics.ts";

const INSTANCE = {
  ...{ id: "ins_1", service: "shop", environment: "production", process: "web", release: "rel_2" },
  ...{ pid: 100, startedAt: "2026-01-01T00:00:00.000Z", crashes: 3 },
};
const LABELS = {
  ...{ environment: "production", service: "shop", process: "web", release: "rel_2", instance: "ins_1" },
};

function routing(stable: string, candidate: string | null): ServiceRouting {
  const arm = (release: string) => ({ release, instances: [] });
  return {
    ...{ service: "shop", environment: "production", routes: [], change: null, assignmentHeader: null },
    ...{ weight: 0, proven: 0, requestTimeoutMs: 1, drainTimeoutMs: 1, maintenance: null },
    connections: { balance: "round-robin", weights: [], drainTimeoutMs: 1, holdTimeoutMs: 1 },
    ...{ stable: arm(stable), candidate: candidate === null ? null : arm(candidate) },
  };
}

const STATUS = (rss: number, threads: number) =>
  `Name:\tnode\nVmSize:\t${rss * 10} kB\nVmRSS:\t${rss} kB\nThreads:\t${threads}\n`;

function measure(files: Record<string, string>, services: ServiceRouting[] = []) {
  const processes = [
    { pid: 100, session: 100, cpuSeconds: 1.5 },
    { pid: 101, session: 100, cpuSeconds: 0.5 },
    { pid: 900, session: 900, cpuSeconds: 9 },
  ];
  const families = instanceMetrics({
    instances: [INSTANCE, { ...INSTANCE, id: "ins_2", pid: null, startedAt: null, crashes: 0 }],
    ...{ services, processes },
    files: {
      read: (path) => files[path] ?? null,
      list: (path) => (path === "/proc/100/fd" ? ["0", "1", "2"] : ["0"]),
    },
  });
  return Object.fromEntries(
    families.map(({ name, samples }) => [name.replace("mainstay_instance_", ""), samples]),
  );
}

describe("an instance", () => {
  it("is told what all processes of its session use", () => {
    const shown = measure({ "/proc/100/status": STATUS(1000, 7), "/proc/101/status": STATUS(24, 1) });
    const values = Object.fromEntries(Object.entries(shown).map(([name, [first]]) => [name, first?.value]));
    expect(values).toEqual({
      ...{ cpu_seconds_total: 2, memory_bytes: 1_048_576, virtual_memory_bytes: 10_485_760, processes: 2 },
      ...{ threads: 8, open_files: 4, start_time_seconds: 1_767_225_600, restarts_total: 3 },
    });
    expect(shown["memory_bytes"]?.[0]?.labels).toEqual(LABELS);
  });

  it("without a process tells no more than how often it was started again", () => {
    const shown = measure({});
    const those = Object.entries(shown).filter(([, all]) =>
      all.some(({ labels }) => labels["instance"] === "ins_2"),
    );
    expect(those.map(([name]) => name)).toEqual(["restarts_total"]);
  });

  it("says which arm of its service it belongs to", () => {
    const armOf = (services: ServiceRouting[]) => measure({}, services)["restarts_total"]?.[0]?.labels["arm"];
    expect(armOf([routing("rel_1", "rel_2")])).toBe("candidate");
    expect(armOf([routing("rel_2", null)])).toBe("stable");
    expect(armOf([routing("rel_1", null)])).toBe(undefined);
    expect(armOf([])).toBe(undefined);
  });
});

describe("a control group", () => {
  const GROUP = "/sys/fs/cgroup/mainstay/ins_1";
  const FILES = {
    "/proc/self/cgroup": "0::/mainstay/agent\n",
    "/proc/100/cgroup": "0::/mainstay/ins_1\n",
    [`${GROUP}/cgroup.procs`]: "100\n",
    [`${GROUP}/memory.current`]: "4096\n",
    [`${GROUP}/cpu.stat`]: "usage_usec 5\nnr_throttled 2\nthrottled_usec 1500000\n",
  };

  it("that an instance has to itself is told as well", () => {
    const shown = measure(FILES);
    expect(shown["cgroup_memory_bytes"]).toEqual([{ labels: LABELS, value: 4096 }]);
    expect(shown["cgroup_cpu_throttled_seconds_total"]).toEqual([{ labels: LABELS, value: 1.5 }]);
  });

  it("that is the agent's own says nothing of an instance", () => {
    expect(measure({ ...FILES, "/proc/self/cgroup": "0::/mainstay/ins_1\n" })).not.toHaveProperty(
      "cgroup_memory_bytes",
    );
    expect(measure({ ...FILES, "/proc/100/cgroup": "4:memory:/x\n0::/\n" })).not.toHaveProperty(
      "cgroup_memory_bytes",
    );
  });
});
