import type { Arm, ObservedInstance, ServiceRouting } from "@mainstay/api";
import { counter, gauge, type Family, type Sample } from "./family.ts";
import type { MachineFiles } from "./machine-files.ts";
import {
  figuresOfGroup,
  figuresOfSessions,
  groupPathOf,
  type GroupFigures,
  type ProcessFigures,
  type ProcessOfSession,
} from "./process-figures.ts";

type Seen = Pick<
  ObservedInstance,
  "id" | "service" | "environment" | "process" | "release" | "pid" | "startedAt" | "crashes"
>;

export interface InstanceMetricsRequest {
  instances: readonly Seen[];
  services: readonly ServiceRouting[];
  processes: readonly ProcessOfSession[];
  files: Pick<MachineFiles, "read" | "list">;
}

interface Measured {
  instance: Seen;
  labels: Record<string, string>;
  figures: ProcessFigures | null;
  group: GroupFigures | null;
}

/** What the instances use: the processes of the session that each has to itself, and its control group. */
export function instanceMetrics(request: InstanceMetricsRequest): Family[] {
  const { instances, services, processes, files } = request;
  const pids = new Set(instances.flatMap(({ pid }) => pid ?? []));
  const bySession = figuresOfSessions(processes, pids, files);
  const ownPath = groupPathOf(files.read("/proc/self/cgroup") ?? "");
  const measured = instances.map((instance): Measured => ({
    instance,
    labels: labelsOf(instance, services),
    figures: bySession.get(instance.pid ?? 0) ?? null,
    group: instance.pid === null ? null : figuresOfGroup(instance.pid, ownPath, files),
  }));
  return describe(measured).filter(({ samples }) => samples.length > 0);
}

function describe(measured: readonly Measured[]): Family[] {
  const samples = (valueOf: (each: Measured) => number | null | undefined): Sample[] =>
    measured.flatMap((each) => {
      const value = valueOf(each) ?? null;
      return value === null ? [] : [{ labels: each.labels, value }];
    });
  const count = (name: string, help: string, valueOf: Parameters<typeof samples>[0]) =>
    counter(`mainstay_instance_${name}`, help, samples(valueOf));
  const level = (name: string, help: string, valueOf: Parameters<typeof samples>[0]) =>
    gauge(`mainstay_instance_${name}`, help, samples(valueOf));
  return [
    count("cpu_seconds_total", "CPU time of its processes.", ({ figures }) => figures?.cpuSeconds),
    level("memory_bytes", "Resident memory of its processes.", ({ figures }) => figures?.memoryBytes),
    level("virtual_memory_bytes", "Virtual memory of its processes.", ({ figures }) => figures?.virtualBytes),
    level("processes", "How many processes it has.", ({ figures }) => figures?.processes),
    level("threads", "Threads of its processes.", ({ figures }) => figures?.threads),
    level("open_files", "Open file descriptors of its processes.", ({ figures }) => figures?.openFiles),
    level("start_time_seconds", "When it began, in seconds since 1970.", startOf),
    count("restarts_total", "Times it ended without being asked to.", ({ instance }) => instance.crashes),
    level("cgroup_memory_bytes", "Memory of its control group.", ({ group }) => group?.memoryBytes),
    count(
      "cgroup_cpu_throttled_seconds_total",
      "Time for which its control group was kept from the processor.",
      ({ group }) => group?.throttledSeconds,
    ),
  ];
}

function startOf({ instance: { startedAt } }: Measured): number | null {
  return startedAt === null ? null : Date.parse(startedAt) / 1000;
}

function labelsOf(instance: Seen, services: readonly ServiceRouting[]): Record<string, string> {
  const { id, service, environment, process, release } = instance;
  const routing = services.find((each) => each.service === service && each.environment === environment);
  const arm: Arm | null =
    routing?.candidate?.release === release
      ? "candidate"
      : routing?.stable?.release === release
        ? "stable"
        : null;
  return { environment, service, process, release, instance: id, ...(arm === null ? {} : { arm }) };
}
