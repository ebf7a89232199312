export type { EnqueueOptions, JobOptions, Jobs, RunningJob } from "./job.ts";
export { createJobs, type JobsDependencies } from "./jobs.ts";
