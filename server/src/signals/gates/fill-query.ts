/** What a query may name as $name. */
export type Variables = Readonly<Record<string, string>>;

export type FilledQuery = { query: string } | { unknown: string };

const VARIABLE = /\$\$|\$([a-z][a-z0-9_]*)/g;

/**
 * Puts values in the place of variables: `$service`, or `$$` for a dollar. They are escaped for strings of
 * PromQL, where they belong; a name that nobody knows is told instead.
 */
export function fillQuery(template: string, variables: Variables): FilledQuery {
  let unknown: string | null = null;
  const query = template.replaceAll(VARIABLE, (whole, name: string | undefined) => {
    if (name === undefined) return "$";
    const value = Object.hasOwn(variables, name) ? variables[name] : undefined;
    if (value === undefined) unknown ??= whole;
    return escape(value ?? "");
  });
  return unknown === null ? { query } : { unknown };
}

/** As strings in quotes of either kind have it; a value never ends the string it stands in. */
function escape(value: string): string {
  return value.replaceAll(/[^\w.:-]/gu, (character) => {
    const code = (character.codePointAt(0) ?? 0).toString(16);
    return code.length > 4 ? `\\U${code.padStart(8, "0")}` : `\\u${code.padStart(4, "0")}`;
  });
}
