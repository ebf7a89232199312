import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";
import type { EnteredResource, InvitedResource } from "@mainstay/api";
import { createApiClient } from "../api-client.ts";

/** Sessions of the demo's two people. */
export interface People {
  admin: string;
  deployer: string;
}

/** Who ships, as the audit log names them. */
export const DEPLOYER = "Dora";

/** The demo's administrator sets up the platform and invites a deployer, who joins and logs in. */
export async function engage({
  url,
  dataDirectory,
}: {
  url: string;
  dataDirectory: string;
}): Promise<People> {
  const open = createApiClient({ url, token: null });
  const redeem = async (link: string, person: object): Promise<string> => {
    const password = randomBytes(18).toString("base64url");
    const wish = { ...person, link: link.trim().split("#")[1], password, transport: "bearer" };
    const { token } = await open.post<EnteredResource>("/links/redeem", wish);
    return token ?? "";
  };
  const first = await readFile(path.join(dataDirectory, "keys", "setup.link"), "utf8");
  const admin = await redeem(first, { email: "admin@demo.example", name: "Admin of the demo" });
  const dora = { email: "dora@demo.example", name: DEPLOYER, role: "deployer" };
  const { link } = await createApiClient({ url, token: admin }).post<InvitedResource>("/users", dora);
  return { admin, deployer: await redeem(link, {}) };
}
