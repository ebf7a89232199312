/** No schema of ours is nested so deep; what walks over a value may then do so by recursion. */
const DEPTH_MAX = 64;

/** Whether a text of JSON is nested deeper than anything we read; found before it is parsed. */
export function isTooDeep(text: string): boolean {
  let depth = 0;
  let isInText = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (isInText && character === "\\") at += 1;
    else if (character === '"') isInText = !isInText;
    else if (isInText) continue;
    else if (character === "{" || character === "[") depth += 1;
    else if (character === "}" || character === "]") depth -= 1;
    if (depth > DEPTH_MAX) return true;
  }
  return false;
}
