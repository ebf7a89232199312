/** Headers as a flat list of names in lower case and values: how answers pass through the proxy. */

/** The value of a name; several are one list (RFC 9110, section 5.3). */
export function headerOf(headers: string[], name: string): string | undefined {
  let list: string | undefined;
  for (let index = 0; index < headers.length; index += 2) {
    if (headers[index] !== name) continue;
    const value = headers[index + 1] ?? "";
    list = list === undefined ? value : `${list}, ${value}`;
  }
  return list;
}

/** Makes this the one value of a name. */
export function setHeader(headers: string[], name: string, value: string): void {
  removeHeaders(headers, [name]);
  headers.push(name, value);
}

/** What the service said itself stays as it is. */
export function addHeader(headers: string[], name: string, value: string): void {
  if (headerOf(headers, name) === undefined) headers.push(name, value);
}

export function removeHeaders(headers: string[], names: string[]): void {
  for (let index = headers.length - 2; index >= 0; index -= 2) {
    if (names.includes(headers[index] ?? "")) headers.splice(index, 2);
  }
}
