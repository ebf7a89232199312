import { readFile } from "node:fs/promises";
import path from "node:path";
import type { EnteredResource } from "@mainstay/api";
import { createApiClient } from "../../cli/src/api-client.ts";

/** Who sets up the products of tests. */
export const ADMIN = { email: "ann@example.com", name: "Ann", password: "seven lamps under water" };

/** Makes the first administrator of a product that was just started; answers the key for programs. */
export async function setUp({ url, dataDirectory }: { url: string; dataDirectory: string }): Promise<string> {
  const link = (await readFile(path.join(dataDirectory, "keys", "setup.link"), "utf8")).trim();
  const api = createApiClient({ url, token: null });
  const wish = { ...ADMIN, link: link.split("#")[1], wantsKey: true, transport: "bearer" };
  const { key } = await api.post<EnteredResource>("/links/redeem", wish);
  if (key === null) throw new Error("the setup answered no key");
  return key;
}
