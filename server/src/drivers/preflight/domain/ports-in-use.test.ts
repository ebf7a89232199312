import { expect, it } from "vitest";
import { portsInUse } from "./ports-in-use.ts";

const NOBODY = "0".repeat(32);
const TABLE = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt uid timeout inode
   0: 0100007F:4E20 00000000:0000 0A 00000000:00000000 00:0 0 0 0 1 1
   1: 0100007F:4E21 0100007F:1F90 01 00000000:00000000 00:0 0 0 0 2 1
   2: ${NOBODY}:1F90 ${NOBODY}:0000 0A 00000000:00000000 00:0 0 0 0 3 1
`;

it("reads the listening ports of /proc/net/tcp and tcp6, and leaves connections out", () => {
  expect([...portsInUse(TABLE)]).toEqual([20_000, 8080]);
});
