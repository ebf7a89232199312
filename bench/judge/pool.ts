import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { join, type Task, type TaskResult } from "./simulation.ts";

/** Small enough that the last ones do not keep the other processors waiting. */
const CHUNKS = 8;

export interface Pool {
  run(task: Task): Promise<TaskResult>;
  close(): Promise<void>;
}

/** Runs tasks in parts, on all processors; seeds of the parts do not overlap. */
export function createPool(): Pool {
  const workers = Array.from(
    { length: availableParallelism() },
    () => new Worker(new URL("./worker.ts", import.meta.url)),
  );
  const idle = [...workers];
  const waiting: ((worker: Worker) => void)[] = [];

  async function runPart(part: Task): Promise<TaskResult> {
    const worker = idle.pop() ?? (await new Promise<Worker>((resolve) => waiting.push(resolve)));
    try {
      return await ask(worker, part);
    } finally {
      const next = waiting.shift();
      if (next) next(worker);
      else idle.push(worker);
    }
  }

  return {
    async run(task) {
      const size = Math.ceil(task.runs / CHUNKS);
      const parts: Task[] = [];
      for (let done = 0; done < task.runs; done += size) {
        const runs = Math.min(size, task.runs - done);
        parts.push({ ...task, runs, seed: task.seed + done * 104_729 });
      }
      return join(await Promise.all(parts.map(runPart)));
    },
    async close() {
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}

function ask(worker: Worker, task: Task): Promise<TaskResult> {
  return new Promise((resolve, reject) => {
    worker.once("error", reject);
    worker.once("message", (result: TaskResult) => {
      worker.off("error", reject);
      resolve(result);
    });
    worker.postMessage(task);
  });
}
