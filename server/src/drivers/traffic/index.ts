export { createTrafficSampler } from "./sampler.ts";
export type { TrafficSampler } from "./sampler.ts";
export { createTrafficDriver } from "./traffic-driver.ts";
export { trafficMetrics } from "./traffic-metrics.ts";
