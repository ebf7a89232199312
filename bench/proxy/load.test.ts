import { describe, expect, it } from "vitest";
import { parseLoad } from "./load.ts";

const CALM = `Running 8s test @ http://127.0.0.1:8080/
  1 threads and 50 connections
  273912 requests in 8.00s, 301.37MB read
Requests/sec:  34239.00
Transfer/sec:     37.67MB
`;

describe("what wrk says", () => {
  it("is read", () => {
    expect(parseLoad(CALM)).toEqual({ requests: 273_912, requestsPerSecond: 34_239, failures: 0 });
  });

  it("counts refused requests and broken connections as failures", () => {
    const troubled = `${CALM}  Socket errors: connect 1, read 2, write 3, timeout 4\n  Non-2xx or 3xx responses: 100\n`;
    expect(parseLoad(troubled).failures).toBe(110);
  });

  it("is not guessed", () => {
    expect(() => parseLoad("unable to connect to 127.0.0.1:8080 Connection refused")).toThrow(
      "unable to connect",
    );
  });
});
