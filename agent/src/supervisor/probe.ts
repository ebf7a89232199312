import { get } from "node:http";

export interface ProbeTarget {
  port: number;
  path: string;
  timeoutMs: number;
}

/** One HTTP GET on the loopback; null when the answer was 200 within the time, otherwise what went wrong. */
export function probe({ port, path, timeoutMs }: ProbeTarget): Promise<string | null> {
  return new Promise((resolve) => {
    const headers = { "user-agent": "mainstay-probe" };
    const signal = AbortSignal.timeout(timeoutMs);
    const request = get({ host: "127.0.0.1", port, path, headers, agent: false, signal }, (response) => {
      response.on("error", () => {}).resume();
      resolve(response.statusCode === 200 ? null : `GET ${path} answered ${response.statusCode}`);
    });
    request.once("error", (error) => {
      resolve(
        signal.aborted
          ? `GET ${path} was not answered within ${timeoutMs} ms`
          : `GET ${path}: ${error.message}`,
      );
    });
  });
}
