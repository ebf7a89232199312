import { AppError } from "@mainstay/api";
import type { Headers } from "./route.ts";

/** The entity tag of an editable item's version: RFC 9110 §8.8.3. */
export function etagOf(version: string | number): string {
  return `"${version}"`;
}

/**
 * To be called before an edit. Throws PRECONDITION_REQUIRED when the request does not say which version it is
 * based on, PRECONDITION_FAILED when that is not the present one: RFC 9110 §13.1.1.
 */
export function demandMatch(headers: Headers, version: string | number): void {
  const header = headers["if-match"];
  const wanted = Array.isArray(header) ? header.join(",") : header;
  if (wanted === undefined || wanted.trim() === "") throw new AppError("PRECONDITION_REQUIRED");
  const tags = wanted.split(",").map((tag) => tag.trim());
  if (!tags.includes("*") && !tags.includes(etagOf(version))) throw new AppError("PRECONDITION_FAILED");
}
