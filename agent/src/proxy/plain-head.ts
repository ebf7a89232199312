/** RFC 9112, section 3.2.1, without what only undici is asked to judge. */
const PATH = /^\/[\x21-\x7e]*$/;
const NO_NAME = /[^\w!#$%&'*+.^`|~-]/;
const NO_VALUE = /[^\t\x20-\x7e\x80-\xff]/;

/**
 * The bytes of a GET as an instance gets them, from a flat list of names and values
 * that has one "host". Null when any of them could be read as more than it is.
 */
export function plainHead(path: string, headers: readonly string[]): string | null {
  if (!PATH.test(path)) return null;
  let head = `GET ${path} HTTP/1.1\r\nconnection: keep-alive\r\n`;
  // Looked at all at once: one search costs about as much as another, however long the text.
  let names = "";
  let values = "";
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index] ?? "";
    const value = headers[index + 1] ?? "";
    if (name === "") return null;
    names += name;
    values += value;
    head += `${name}: ${value}\r\n`;
  }
  return NO_NAME.test(names) || NO_VALUE.test(values) ? null : `${head}\r\n`;
}
