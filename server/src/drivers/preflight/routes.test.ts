import { parseServiceFile } from "@mainstay/api";
import { describe, expect, it } from "vitest";
import type { ReleaseRow } from "../../core/services/index.ts";
import { checkRoutes } from "./routes.ts";

interface Facts {
  id?: string;
  environment?: string;
  routes?: { host?: string; path?: string }[];
  port?: "auto" | undefined;
}

function release(service: string, facts: Facts = {}): ReleaseRow {
  const { id = "rel_2", environment = "production", routes, port = "auto" } = facts;
  const web = { command: "x", health: { path: "/" }, ...("port" in facts && !facts.port ? {} : { port }) };
  const snapshot = parseServiceFile(JSON.stringify({ service, routes, processes: { web } }), "mainstay.yaml");
  return { id, service, environment, snapshot } as ReleaseRow;
}

function find(candidate: ReleaseRow, others: ReleaseRow[], stable: ReleaseRow | null = null) {
  return checkRoutes({ candidate, stable, others }).map(
    ({ severity, isForceable, message }) => `${severity}${isForceable ? " (forceable)" : ""}: ${message}`,
  );
}

describe("routes of a release", () => {
  it.each([
    ["hosts", [{ host: "shop.test" }], [{ host: "mail.test" }]],
    ["paths of a host", [{ host: "a.test", path: "/api" }], [{ host: "a.test" }]],
    ["a host and the end of it", [{ host: "a.b.test" }], [{ host: "*.b.test" }]],
    ["a host and any", [{ host: "a.test" }], undefined],
  ])("are fine beside those of others that differ: %s", (_, own, theirs) => {
    expect(find(release("shop", { routes: own }), [release("mail", { routes: theirs ?? [{}] })])).toEqual([]);
  });

  it("stop a change when another service has the same, unless somebody forces it", () => {
    expect(find(release("shop"), [release("mail")])).toEqual([
      expect.stringMatching(
        /^error \(forceable\): the route \/ of any host is also that of mail in production/,
      ),
    ]);
    const own = release("shop", { routes: [{ host: "A.test", path: "/api/" }, { host: "b.test" }] });
    const theirs = release("shop", { environment: "staging", routes: [{ host: "a.test", path: "/api" }] });
    expect(find(own, [theirs])).toEqual([
      expect.stringContaining("the route A.test/api/ is also that of shop in staging"),
    ]);
  });

  it("are warned of where the service had them before, and whenever a release goes back", () => {
    const stable = release("shop", { id: "rel_1" });
    expect(find(release("shop"), [release("mail")], stable)).toEqual([expect.stringMatching(/^warning: /)]);
    const later = release("shop", { id: "rel_3", routes: [{ host: "a.test" }] });
    expect(find(release("shop"), [release("mail")], later)).toEqual([expect.stringMatching(/^warning: /)]);
  });

  it("count only where something has a port", () => {
    expect(find(release("shop"), [release("worker", { port: undefined })])).toEqual([]);
    expect(find(release("worker", { port: undefined }), [release("shop")])).toEqual([]);
  });
});
