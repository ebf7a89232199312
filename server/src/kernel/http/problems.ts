import { AppError, problemTitle, problemType, type Problem } from "@mainstay/api";
import { isLostConnection, unreachable } from "../database/index.ts";
import type { BodyLimit } from "./route.ts";

/** Any error as one that a user may see: what is not meant for users becomes INTERNAL and says nothing. */
export function toAppError(
  error: unknown,
  {
    bodyLimit,
    takes = ["application/json"],
  }: { bodyLimit: BodyLimit; takes?: readonly string[] | undefined },
): AppError {
  if (error instanceof AppError) return error;
  if (isLostConnection(error)) return unreachable(error, null);
  const { code, statusCode, message } = describeFrameworkError(error);
  if (code === "FST_ERR_CTP_BODY_TOO_LARGE") {
    const { sizeBytes: limitBytes, setting } = bodyLimit;
    return new AppError("REQUEST_TOO_LARGE", { limitBytes, setting }, { cause: error });
  }
  if (code === "FST_ERR_CTP_INVALID_MEDIA_TYPE")
    return new AppError("UNSUPPORTED_MEDIA_TYPE", { types: takes.join(" or ") }, { cause: error });
  if (code.startsWith("FST_ERR_") && statusCode >= 400 && statusCode < 500) {
    return new AppError("REQUEST_INVALID", {}, { cause: error, errors: [{ path: "(request)", message }] });
  }
  return new AppError("INTERNAL", {}, { cause: error });
}

/** Only errors with the framework's own codes count: a handler may throw another server's "404". */
function describeFrameworkError(error: unknown): { code: string; statusCode: number; message: string } {
  if (!(error instanceof Error)) return { code: "", statusCode: 500, message: "" };
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  const statusCode = "statusCode" in error && typeof error.statusCode === "number" ? error.statusCode : 500;
  return { code, statusCode, message: error.message };
}

/** The problem document of an error: RFC 9457. */
export function toProblem(error: AppError, requestId: string): Problem {
  return {
    type: problemType(error.code),
    title: problemTitle(error.code),
    status: error.status,
    detail: error.message,
    code: error.code,
    remedy: error.remedy,
    requestId,
    ...(error.errors.length > 0 ? { errors: error.errors } : {}),
  };
}

/** Headers that belong to some problems. */
export function problemHeaders(error: AppError): Record<string, string> {
  // RFC 9110 §11.6.1: a 401 names the scheme that it wants.
  if (error.status === 401) return { "www-authenticate": "Bearer" };
  const { retryAfterSeconds } = error.params;
  const retryAfter = retryAfterSeconds ?? (error.status === 503 ? 1 : undefined);
  return retryAfter === undefined ? {} : { "retry-after": String(retryAfter) };
}
