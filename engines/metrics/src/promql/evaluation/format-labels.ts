import type { Labels } from "../../labels.ts";
import { quote } from "../syntax/literals.ts";

const PLAIN_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/** Labels as messages show them: {a="b", "c d"="e"}. */
export function formatLabels({ names, values }: Labels): string {
  const pairs = names.map(
    (name, index) => `${PLAIN_NAME.test(name) ? name : quote(name)}=${quote(values[index] ?? "")}`,
  );
  return `{${pairs.join(", ")}}`;
}
