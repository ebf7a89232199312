/** RFC 9112, section 3.2.1, without what only undici is asked to judge. */
const PATH = /^\/[\x21-\x7e]*$/;
const NO_NAME = /[^\w!#$%&'*+.^`|~-]/;
const NO_VALUE = /[^\t\x20-\x7e\x80-\xff]/;

/**
 * The bytes of a GET as an instance gets them, from a flat list of names and values that has one "host". Null when
 * any of them could be read as more than it is.
 */
export function plainHead(path: string, headers: readonly string[]): string | null {
  if (!PATH.test(path)) return null;
  let head = `GET ${path} HTTP/1.1\r\nconnection: keep-alive\r\n`;
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index] ?? "";
    const value = headers[index + 1] ?? "";
    if (name === "" || NO_NAME.test(name) || NO_VALUE.test(value)) return null;
    head += `${name}: ${value}\r\n`;
  }
  return `${head}\r\n`;
}
