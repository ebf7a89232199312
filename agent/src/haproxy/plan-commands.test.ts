import { describe, expect, it } from "vitest";
import { sampleService } from "../testing/sample-service.ts";
import { engineTableOf } from "./engine-table.ts";
import { planCommands } from "./plan-commands.ts";

const maps = { routes: "routes.map", rows: "rows.map" };
const armOf = (...ids: number[]) => ({
  release: "rel",
  instances: ids.map((id) => ({ id: `ins_${id}`, port: 20_000 + id, weight: 1 })),
});

function planOf(
  before: Parameters<typeof sampleService>[0],
  next: Parameters<typeof sampleService>[0],
  leaving: string[] = [],
) {
  const table = (changes: typeof before) => engineTableOf({ services: [sampleService(changes)] });
  const plan = planCommands({ before: table(before), next: table(next), leaving: new Set(leaving), maps });
  return { ...plan, lines: plan.commands.map((each) => each.line.replace(/ check .*/, "")) };
}

describe("the way from one table to the next", () => {
  it("brings new servers first, then the weight, and unroutes last", () => {
    const candidate = armOf(2);
    const { lines, leaving } = planOf(
      { stable: armOf(1) },
      { stable: armOf(3), candidate, change: "chg_1", weight: 1000 },
    );
    expect(lines).toEqual([
      "add server production.shop.stable/ins_3-20003 127.0.0.1:20003 weight 1",
      "enable health production.shop.stable/ins_3-20003",
      "enable server production.shop.stable/ins_3-20003",
      "add server production.shop.candidate/ins_2-20002 127.0.0.1:20002 weight 1",
      "enable health production.shop.candidate/ins_2-20002",
      "enable server production.shop.candidate/ins_2-20002",
      "add map rows.map production.shop 1000|release:shop:chg_1:|",
      "set server production.shop.stable/ins_1-20001 state maint",
    ]);
    expect(leaving).toEqual(["production.shop.stable/ins_1-20001"]);
  });

  it("is one command when only the weight changes, and none when nothing does", () => {
    const change = { stable: armOf(1), candidate: armOf(2), change: "chg_1" };
    expect(planOf({ ...change, weight: 1000 }, { ...change, weight: 2500 }).lines).toEqual([
      "set map rows.map production.shop 2500|release:shop:chg_1:|",
    ]);
    expect(planOf(change, change).lines).toEqual([]);
  });

  it("takes a server back that was unrouted and is not gone yet", () => {
    const { lines } = planOf({ stable: armOf() }, { stable: armOf(1) }, [
      "production.shop.stable/ins_1-20001",
    ]);
    expect(lines).toEqual([
      "set server production.shop.stable/ins_1-20001 weight 1",
      "set server production.shop.stable/ins_1-20001 state ready",
    ]);
  });

  it("never lets a path end a command", () => {
    const { lines } = planOf({ routes: [] }, { routes: [{ host: null, path: "/;shutdown" }] });
    expect(lines.slice(1)).toEqual(["add map routes.map */\\;shutdown/ production.shop"]);
  });
});
