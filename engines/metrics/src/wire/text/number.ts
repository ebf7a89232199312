const DECIMAL = /^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/;
const INFINITY = /^[+-]?inf(?:inity)?$/i;
/** More digits may not be exact as a sum of products. */
const EXACT_DIGITS = 15;
const ZERO = 0x30;
const NINE = 0x39;

/**
 * A value as both text formats write it: decimal, with or without an exponent, NaN and infinities in any
 * case; neither hexadecimal nor with underscores. Null when it is none. (OpenMetrics 1.0, ABNF of
 * `number`.)
 */
export function parseValue(text: string): number | null {
  const whole = parseDigits(text);
  if (whole !== null) return whole;
  if (DECIMAL.test(text)) return Number(text);
  if (INFINITY.test(text)) return text.startsWith("-") ? -Infinity : Infinity;
  return /^[+-]?nan$/i.test(text) ? NaN : null;
}

/** A finite number of seconds, or null. (OpenMetrics 1.0, ABNF of `realnumber`.) */
export function parseSeconds(text: string): number | null {
  const whole = parseDigits(text);
  if (whole !== null) return whole;
  return DECIMAL.test(text) ? Number(text) : null;
}

/** A whole number of milliseconds, or null. */
export function parseMilliseconds(text: string): number | null {
  if (!/^[+-]?[0-9]{1,18}$/.test(text)) return null;
  return Number(text);
}

/** Most values are short and whole: they need neither a pattern nor a conversion. */
function parseDigits(text: string): number | null {
  if (text.length === 0 || text.length > EXACT_DIGITS) return null;
  let value = 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < ZERO || code > NINE) return null;
    value = value * 10 + (code - ZERO);
  }
  return value;
}
