import type { Labels } from "@mainstay/metrics/model";

/** Labels as a JSON object. */
export function labelsJson({ names, values }: Labels): string {
  let text = "{";
  for (let index = 0; index < names.length; index++) {
    if (index > 0) text += ",";
    text += `${JSON.stringify(names[index])}:${JSON.stringify(values[index])}`;
  }
  return `${text}}`;
}

/** Milliseconds as seconds, with three decimals unless they are zero: no arithmetic alters them. */
export function timeJson(timeMs: number): string {
  const magnitude = Math.abs(timeMs);
  const fraction = magnitude % 1000;
  const sign = timeMs < 0 ? "-" : "";
  const seconds = `${sign}${Math.floor(magnitude / 1000)}`;
  return fraction === 0 ? seconds : `${seconds}.${String(fraction).padStart(3, "0")}`;
}

/** A value as text, as the API has it: exponents below 1e-6 and from 1e21 on. */
export function valueText(value: number): string {
  if (value === Infinity) return "+Inf";
  if (value === -Infinity) return "-Inf";
  if (value === 0 && Object.is(value, -0)) return "-0";
  const text = String(value);
  return text.includes("e") ? padExponent(text) : text;
}

/** 1e+5 as 1e+05. */
export function padExponent(text: string): string {
  return text.replace(/e([+-])(\d)$/, "e$10$2");
}
