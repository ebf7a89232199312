import { connect, createServer, type AddressInfo, type Socket } from "node:net";

export interface Relay {
  url: string;
  /** Connections that were cut. */
  cuts(): number;
  close(): Promise<void>;
}

export interface RelayOptions {
  /** Where connections are led to, http://host:port. */
  to: string;
  /** After so many bytes towards the server everything is cut, once for each number. */
  cutAfterBytes: number[];
}

/** A line between a client and a server that breaks in the middle, as lines do. */
export async function startRelay({ to, cutAfterBytes }: RelayOptions): Promise<Relay> {
  const { hostname, port } = new URL(to);
  const sockets = new Set<Socket>();
  const pending = [...cutAfterBytes];
  let carriedBytes = 0;
  let cuts = 0;

  function cutIfDue(): void {
    const due = pending[0];
    if (due === undefined || carriedBytes < due) return;
    pending.shift();
    cuts += 1;
    carriedBytes = 0;
    for (const socket of sockets) socket.resetAndDestroy();
  }

  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.on("data", (chunk: Buffer) => {
      carriedBytes += chunk.length;
      cutIfDue();
    });
    client.pipe(upstream);
    upstream.pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const { port: ownPort } = address as AddressInfo;
  return {
    url: `http://127.0.0.1:${ownPort}`,
    cuts: () => cuts,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
