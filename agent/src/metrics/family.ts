import type { AgentMetrics } from "@mainstay/api";

export type Family = AgentMetrics["families"][number];
export type Sample = Family["samples"][number];

export function gauge(name: string, help: string, samples: Sample[] | number | null): Family {
  return { name, help, type: "gauge", samples: samplesOf(samples) };
}

export function counter(name: string, help: string, samples: Sample[] | number | null): Family {
  return { name, help, type: "counter", samples: samplesOf(samples) };
}

/** A family with one series, or with none. */
function samplesOf(samples: Sample[] | number | null): Sample[] {
  if (Array.isArray(samples)) return samples;
  return samples === null ? [] : [{ labels: {}, value: samples }];
}
