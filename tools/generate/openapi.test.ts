import { describe, expect, it } from "vitest";
import { z } from "zod";
import { PUBLIC_URLS } from "../../server/src/kernel/http/public-urls.ts";
import { generate } from "./openapi.ts";

const document = z.object({
  openapi: z.literal("3.1.0"),
  paths: z.record(
    z.string(),
    z.record(
      z.string(),
      z.object({
        summary: z.string().min(1),
        "x-permission": z.string(),
        responses: z.looseObject({ default: z.unknown() }),
      }),
    ),
  ),
});

describe("the API document", () => {
  it("is made without a database, and tells of every route what it demands", async () => {
    const [file] = await generate();
    const { paths } = document.parse(JSON.parse(file?.text ?? ""));
    const open = Object.entries(paths).filter(([, methods]) =>
      Object.values(methods).some((operation) => operation["x-permission"] === "public"),
    );
    const known = PUBLIC_URLS.map((url) => url.replaceAll(/:(\w+)/g, "{$1}"));
    expect(known).toEqual(expect.arrayContaining(open.map(([path]) => path)));
    expect(open.map(([path]) => path)).toContain("/readyz");
    expect(Object.keys(paths)).toContain("/api/v1/changes/{id}");
  });

  it("is the same each time it is made", async () => {
    expect(await generate()).toEqual(await generate());
  });
});
