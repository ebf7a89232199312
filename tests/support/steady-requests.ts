/** What became of requests that were sent one after the other. */
export interface SteadyRequests {
  /** How many were answered with 200. */
  answered(): number;
  /** Ends after the requests under way; what was not answered with 200, in words. */
  stop(): Promise<string[]>;
}

const CONNECTIONS = 4;

/** Sends requests, a few at a time and never a second time, until it is stopped. */
export function startSteadyRequests(send: () => Promise<{ status: number }>): SteadyRequests {
  const lost: string[] = [];
  let answered = 0;
  let isStopped = false;

  async function keepAsking(): Promise<void> {
    while (!isStopped) {
      const status = await send().then(
        (answer) => answer.status,
        (error: unknown) => String(error),
      );
      if (status === 200) answered += 1;
      else lost.push(`after ${answered}: ${status}`);
    }
  }

  const all = Promise.all(Array.from({ length: CONNECTIONS }, keepAsking));
  return {
    answered: () => answered,
    async stop() {
      isStopped = true;
      await all;
      return lost;
    },
  };
}
