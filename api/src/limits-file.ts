import { z } from "zod";
import { size } from "./unit-schemas.ts";

/** What processes may use, wherever mainstay.yaml limits it. */

const LEAST_MEMORY_BYTES = 16 * 1024 ** 2;

export function memoryLimit() {
  return size().refine((bytes) => bytes >= LEAST_MEMORY_BYTES, "expected at least 16MiB");
}

/** In cores. */
export function cpuLimit() {
  return z.number().min(0.05).max(256);
}
