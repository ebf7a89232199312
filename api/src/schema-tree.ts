import { z } from "zod";

/** The schema itself, without what only says that a value may be missing. */
export function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) return unwrap(schema.def.innerType);
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable) return unwrap(schema.def.innerType);
  return schema;
}

/** The schema of what stands at the path; null where the path leads out of it. */
export function schemaAt(schema: z.core.$ZodType, path: readonly PropertyKey[]): z.core.$ZodType | null {
  const [key, ...rest] = path;
  const inner = unwrap(schema);
  if (key === undefined) return inner;
  const child = childOf(inner, String(key));
  return child ? schemaAt(child, rest) : null;
}

function childOf(schema: z.core.$ZodType, key: string): z.core.$ZodType | null {
  if (schema instanceof z.ZodObject)
    return Object.hasOwn(schema.shape, key) ? (schema.shape[key] ?? null) : null;
  if (schema instanceof z.ZodRecord) return schema.def.valueType;
  return schema instanceof z.ZodArray ? schema.def.element : null;
}

/** The keys an object schema knows, or any of several; none for any other schema. */
export function keysOf(schema: z.core.$ZodType | null): string[] {
  if (schema instanceof z.ZodUnion) return [...new Set(schema.def.options.flatMap(keysOf))];
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
}
