import { request } from "node:http";
import { gunzipSync, inflateSync } from "node:zlib";
import type { Asked } from "./requests.ts";

const FORM = "application/x-www-form-urlencoded";
const UNPACK: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
  gzip: gunzipSync,
  deflate: inflateSync,
};

/** Who is asked. */
export interface Target {
  /** The URL below which /api/v1 lies. */
  url: string;
  headers: Readonly<Record<string, string>>;
}

/** What came back, unpacked. */
export interface Answer {
  status: number;
  contentType: string;
  encoding: string;
  text: string;
}

/** Asks as it is written in the table; nothing is added but who asks. */
export function askOne(target: Target, asked: Asked, nowMs: number): Promise<Answer> {
  const fields = new URLSearchParams(
    asked.parameters.map(([name, value]): [string, string] => [name, inTime(value, nowMs)]),
  );
  const isForm = asked.method === "POST" || asked.method === "PUT";
  const place = `${target.url}${asked.at.startsWith("/") ? asked.at : `/api/v1/${asked.at}`}`;
  const body = isForm ? fields.toString() : "";
  const type = isForm ? { "content-type": FORM } : {};
  const headers = { ...type, ...asked.headers, ...target.headers, "content-length": Buffer.byteLength(body) };
  return new Promise((resolve, reject) => {
    const url = isForm || fields.size === 0 ? place : `${place}?${fields.toString()}`;
    const sent = request(url, { method: asked.method, headers }, (answer) => {
      const pieces: Buffer[] = [];
      answer.on("error", reject);
      answer.on("data", (piece: Buffer) => pieces.push(piece));
      answer.on("end", () => {
        const { "content-type": contentType = "", "content-encoding": encoding = "" } = answer.headers;
        const bytes = Buffer.concat(pieces);
        const unpack = bytes.length > 0 ? UNPACK[encoding] : undefined;
        const text = (unpack === undefined ? bytes : unpack(bytes)).toString();
        resolve({ status: answer.statusCode ?? 0, contentType, encoding, text });
      });
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

/** A text with {now}, {now-60}, {now-60 rfc} or {now offset} as the moment that is meant. */
function inTime(text: string, nowMs: number): string {
  return text.replace(
    /\{now([+-][\d.]+)?( rfc| offset)?\}/,
    (_, seconds: string = "0", form: string = "") => {
      const timeMs = nowMs + Number(seconds) * 1000;
      if (form === "") return String(timeMs / 1000);
      if (form === " rfc") return new Date(timeMs).toISOString();
      return new Date(timeMs + 5.5 * 3_600_000).toISOString().replace("Z", "+05:30");
    },
  );
}
