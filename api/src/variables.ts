import { z } from "zod";

export const variableName = z
  .string()
  .regex(
    /^[A-Za-z_][A-Za-z0-9_]*$/,
    "expected the name of an environment variable: letters, digits and underscores",
  );

/** YAML reads 3000 and true as a number and a truth value; the process gets them as text. */
export const variableValue = z
  .union([z.string(), z.number(), z.boolean()], "expected text, a number, true or false")
  .transform(String);
