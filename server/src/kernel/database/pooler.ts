import type pg from "pg";

const ROUNDS = 4;

/**
 * Whether a pooler hands out connections for single transactions only, so that what
 * belongs to a session gets lost. Found by behaviour: two clients that are connected
 * at the same time never share a backend, and a client never changes its backend,
 * unless such a pooler stands between. `first` and `second` are two open connections.
 */
export async function isTransactionPooled(first: pg.ClientBase, second: pg.ClientBase): Promise<boolean> {
  const home = await backendOf(first);
  for (let round = 0; round < ROUNDS; round++) {
    // While the second holds a backend by its transaction, the pooler has to give the first another one.
    if (!(await begin(second))) return true;
    const other = await backendOf(second);
    const isShared = other === home;
    const isMoved = !isShared && (await backendOf(first)) !== home;
    await second.query("rollback");
    if (isShared || isMoved) return true;
  }
  return false;
}

/**
 * False when transaction blocks are refused, as poolers do that hand out connections for single statements.
 */
async function begin(client: pg.ClientBase): Promise<boolean> {
  return client.query("begin").then(
    () => true,
    () => false,
  );
}

async function backendOf(client: pg.ClientBase): Promise<number> {
  const { rows } = await client.query<{ pid: number }>("select pg_backend_pid() as pid");
  return rows[0]?.pid ?? 0;
}
