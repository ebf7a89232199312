import { invalidParameter } from "../api-error.ts";

type Labels = Readonly<Record<string, string>>;

/** Whether labels match any of the selectors of a parameter. The language is loaded only if there is one. */
export async function labelsFilter(
  parameter: string,
  selectors: readonly string[],
): Promise<(labels: Labels) => boolean> {
  if (selectors.length === 0) return () => true;
  const { compileMatcher, parseSelector, ParseError } = await import("@mainstay/metrics");
  const lists = selectors.map((text) => {
    try {
      return parseSelector(text);
    } catch (error) {
      if (error instanceof ParseError) throw invalidParameter(parameter, error.message);
      throw error;
    }
  });
  const tests = lists.map((list) => list.map((each) => ({ name: each.name, passes: compileMatcher(each) })));
  return (labels) => tests.some((list) => list.every(({ name, passes }) => passes(labels[name] ?? "")));
}
