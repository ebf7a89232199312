import { describe, expect, it } from "vitest";
import { judgeOperations, listOperations } from "./operations.ts";
import { judgeDocument } from "./suite.ts";

const problem = { description: "a problem", content: { "application/problem+json": {} } };
const good = {
  operationId: "listThings",
  summary: "Lists things.",
  "x-permission": "things:read",
  responses: { 200: { description: "ok" }, default: problem },
};
const documentOf = (paths: object) => ({
  openapi: "3.1.0",
  info: { title: "Mainstay", version: "0.1.0" },
  paths,
});

const failuresOf = (paths: object) =>
  judgeOperations(listOperations(documentOf(paths)))
    .filter((each) => each.failure !== null)
    .map((each) => each.name);

describe("the promises of an operation", () => {
  it("are kept by one that says everything", () => {
    expect(failuresOf({ "/things": { get: good } })).toEqual([]);
  });

  it("are broken without a problem document", () => {
    const html = { description: "a problem", content: { "text/html": {} } };
    expect(
      failuresOf({ "/things": { get: { ...good, responses: { 200: good.responses[200], default: html } } } }),
    ).toEqual(["GET /things declares its problem document (RFC 9457)"]);
  });

  it("are broken by an operationId that is used twice", () => {
    expect(failuresOf({ "/things": { get: good, post: good } })).toEqual([
      "GET /things has an operationId of its own",
      "POST /things has an operationId of its own",
    ]);
  });

  it("are broken by silence", () => {
    expect(failuresOf({ "/things": { delete: { responses: { 404: problem } } } })).toEqual([
      "DELETE /things has an operationId of its own",
      "DELETE /things says what it does",
      "DELETE /things names the permission it needs",
      "DELETE /things declares what it answers when all is well",
    ]);
  });
});

describe("the document", () => {
  const failedOf = async (document: unknown) =>
    (await judgeDocument(document)).filter((each) => each.failure !== null).map((each) => each.name);

  it("passes when the official schema accepts it", async () => {
    expect(await failedOf(documentOf({ "/things": { get: good } }))).toEqual([]);
  });

  it("fails when it is not OpenAPI 3.1", async () => {
    expect(await failedOf({ ...documentOf({}), openapi: "3.0.3" })).toEqual(["is OpenAPI 3.1"]);
  });

  it("fails when the official schema does not accept it", async () => {
    expect(await failedOf(documentOf({ "/things": { get: { responses: { 200: {} } } } }))).toContain(
      "is valid",
    );
  });

  it("fails when a reference leads nowhere", async () => {
    const schema = { $ref: "#/components/schemas/Nothing" };
    const responses = { 200: { description: "ok", content: { "application/json": { schema } } } };
    expect(await failedOf(documentOf({ "/things": { get: { responses } } }))).toEqual(["is valid"]);
  });
});
