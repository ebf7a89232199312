import { z } from "zod";

export const serviceName = z
  .string()
  .regex(
    /^[a-z][a-z0-9-]{0,40}$/,
    "expected lower-case letters, digits and dashes, starting with a letter (at most 41)",
  );
