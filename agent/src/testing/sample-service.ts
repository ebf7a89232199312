import type { WorkerService } from "../proxy/worker-protocol.ts";

/** One service with an instance in each arm it has, for tests of what is made of it. */
export function sampleService(changes: Partial<WorkerService> = {}): WorkerService {
  return {
    service: "shop",
    environment: "production",
    routes: [{ host: null, path: "/" }],
    change: null,
    assignmentHeader: null,
    weight: 0,
    stable: { release: "rel_1", instances: [{ id: "ins_1", port: 20_001 }] },
    candidate: null,
    requestTimeoutMs: 5000,
    connections: { balance: "round-robin", drainTimeoutMs: 5000, holdTimeoutMs: 0 },
    maintenance: null,
    ...changes,
  };
}
