import { expect, test } from "vitest";
import { classify } from "./outcome.ts";

const answer = (status: number, proxyStatus: string | null = null) =>
  classify({ status, proxyStatus, release: null, setCookies: [] });

test.each([200, 201, 204, 304])("%i is ok", (status) => {
  expect(answer(status)).toEqual({ kind: "ok" });
});

test("4xx is a refusal, 5xx without a mark an error of the application", () => {
  expect(answer(404)).toEqual({ kind: "refused" });
  expect(answer(500)).toEqual({ kind: "application-error" });
});

test("what the proxy reports of the application is the application's fault", () => {
  expect(answer(502, "mainstay-upstream; error=connection_terminated")).toEqual({
    kind: "application-error",
  });
});

test.each([
  ["mainstay; error=connection_limit_reached", "mainstay:connection_limit_reached"],
  ["mainstay", "mainstay:unknown"],
  ['"mainstay"; details="no, not; here"; error=proxy_internal_error', "mainstay:proxy_internal_error"],
  ["edge.example; error=x, mainstay;error=destination_unavailable", "mainstay:destination_unavailable"],
])("an answer marked %j was lost by the platform", (proxyStatus, reason) => {
  expect(answer(503, proxyStatus)).toEqual({ kind: "lost", reason });
});

test("the mark counts whatever the status is", () => {
  expect(answer(404, "mainstay; error=destination_not_found").kind).toBe("lost");
});

test("the platform's name inside of another's text is no mark", () => {
  expect(answer(500, 'cdn; details="x, mainstay; error=y"')).toEqual({ kind: "application-error" });
});

test("a request without an answer was lost", () => {
  expect(classify({ failure: "refused" })).toEqual({ kind: "lost", reason: "refused" });
});
