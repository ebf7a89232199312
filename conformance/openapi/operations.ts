import type { CaseResult } from "../suite.ts";

const METHODS = ["get", "put", "post", "delete", "patch", "head", "options", "trace"];

export interface Operation {
  /** `GET /api/v1/changes` */
  name: string;
  operationId: string | null;
  summary: string | null;
  permission: string | null;
  /** Status or "default" → media types of the answer. */
  responses: Map<string, string[]>;
}

/** Every operation of an OpenAPI document. */
export function listOperations(document: unknown): Operation[] {
  return entries(field(document, "paths")).flatMap(([path, item]) =>
    METHODS.filter((method) => field(item, method) !== undefined).map((method) =>
      readOperation(`${method.toUpperCase()} ${path}`, field(item, method)),
    ),
  );
}

/** What Mainstay promises about every operation, beyond what OpenAPI demands. */
export function judgeOperations(operations: Operation[]): CaseResult[] {
  const ids = operations.map((operation) => operation.operationId);
  return operations.flatMap((operation) => [
    judge(operation, "has an operationId of its own", isUnique(ids, operation.operationId)),
    judge(operation, "says what it does", operation.summary !== null),
    judge(operation, "names the permission it needs", operation.permission !== null),
    judge(operation, "declares what it answers when all is well", hasSuccess(operation)),
    judge(operation, "declares its problem document (RFC 9457)", hasProblem(operation)),
  ]);
}

function judge(operation: Operation, promise: string, isKept: boolean): CaseResult {
  return { name: `${operation.name} ${promise}`, failure: isKept ? null : "it does not" };
}

function isUnique(ids: (string | null)[], id: string | null): boolean {
  return id !== null && ids.filter((each) => each === id).length === 1;
}

function hasSuccess({ responses }: Operation): boolean {
  return [...responses.keys()].some((status) => /^[123]/.test(status));
}

function hasProblem({ responses }: Operation): boolean {
  return [...responses].some(
    ([status, types]) => /^(default|4..|5..)$/.test(status) && types.includes("application/problem+json"),
  );
}

function readOperation(name: string, operation: unknown): Operation {
  const responses = entries(field(operation, "responses")).map(
    ([status, response]) => [status, entries(field(response, "content")).map(([type]) => type)] as const,
  );
  return {
    name,
    operationId: text(field(operation, "operationId")),
    summary: text(field(operation, "summary")),
    permission: text(field(operation, "x-permission")),
    responses: new Map(responses),
  };
}

function field(value: unknown, key: string): unknown {
  return entries(value).find(([name]) => name === key)?.[1];
}

function entries(value: unknown): [string, unknown][] {
  return typeof value === "object" && value !== null ? Object.entries(value) : [];
}

function text(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}
