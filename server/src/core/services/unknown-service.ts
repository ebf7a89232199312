import { AppError } from "@mainstay/api";
import type { Target } from "./store.ts";

/** What is said of a service that nobody has deployed. */
export function unknownService({ service, environment }: Target): AppError {
  return new AppError("NOT_FOUND", { what: `service ${service} in ${environment}` });
}
