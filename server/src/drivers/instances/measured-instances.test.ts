import type { DesiredState, ObservedInstance, ObservedState } from "@mainstay/api";
import { serviceFile } from "@mainstay/api";
import { describe, expect, it } from "vitest";
import type { Arrangement } from "../../core/services/index.ts";
import { measuredInstances, measuredTargets } from "./measured-instances.ts";

const WEB = {
  command: "node web.js",
  port: "auto",
  health: { path: "/healthz" },
  metrics: { path: "/figures" },
};
const snapshot = serviceFile.parse({
  service: "shop",
  processes: { web: WEB, worker: { command: "node worker.js" } },
});

function measure(release: string, routing: { stable: string; candidate: string | null }) {
  const instance = (id: string, process: string) => ({
    id,
    process,
    release,
    service: "shop",
    environment: "qa",
  });
  const releases = new Map([[release, { snapshot }]]);
  const arrangement = { instances: [instance("ins_1", "web"), instance("ins_2", "worker")], releases };
  const arm = (id: string | null) => (id === null ? null : { release: id, instances: [] });
  const services = [
    { service: "shop", environment: "qa", stable: arm(routing.stable), candidate: arm(routing.candidate) },
  ];
  return measuredInstances(
    arrangement as unknown as Pick<Arrangement, "instances" | "releases">,
    { services } as unknown as Pick<DesiredState, "services">,
  );
}

function observed(port: number | null, pid: number | null): ObservedState {
  const instance: Partial<ObservedInstance> = { id: "ins_1", port, pid };
  return { instances: [instance] } as unknown as ObservedState;
}

describe("an instance that tells figures of its own", () => {
  it("is one whose process says where, with the arm of its release", () => {
    const labels = { environment: "qa", service: "shop", process: "web", instance: "ins_1" };
    expect(measure("rel_2", { stable: "rel_1", candidate: "rel_2" })).toEqual([
      { id: "ins_1", path: "/figures", labels: { ...labels, release: "rel_2", arm: "candidate" } },
    ]);
    expect(measure("rel_1", { stable: "rel_1", candidate: null })[0]?.labels["arm"]).toBe("stable");
    expect(measure("rel_0", { stable: "rel_1", candidate: null })[0]?.labels["arm"]).toBe("");
  });

  it("is a target where it listens, as long as it runs", () => {
    const measured = measure("rel_1", { stable: "rel_1", candidate: null });
    expect(measuredTargets(measured, observed(20_001, 77))).toEqual([
      {
        targets: ["127.0.0.1:20001"],
        labels: { ...measured[0]?.labels, job: "shop", __metrics_path__: "/figures" },
      },
    ]);
    expect(measuredTargets(measured, observed(20_001, null))).toEqual([]);
    expect(measuredTargets(measured, observed(null, 77))).toEqual([]);
    expect(measuredTargets(measured, null)).toEqual([]);
  });
});
