import { createConnection, type OnReadOpts, type Socket } from "node:net";

const CONNECT_TIMEOUT_MS = 3000;

export type Connected = (...result: [error: null, socket: Socket] | [error: Error, socket: null]) => void;

/** Makes a connection to an instance. With `onread` its bytes go there instead of through a stream. */
export type Connect = (onread: OnReadOpts | undefined, callback: Connected) => void;

/** Loopback only, whatever the Host header says. */
export function createConnect(port: number): Connect {
  return (onread, callback) => {
    const where = { host: "127.0.0.1", port, noDelay: true };
    const socket = createConnection(onread ? { ...where, onread } : where);
    const refuse = (error: Error) => {
      socket.destroy();
      callback(error, null);
    };
    const onTimeout = () =>
      refuse(Object.assign(new Error("connect timed out"), { code: "UND_ERR_CONNECT_TIMEOUT" }));
    socket.setTimeout(CONNECT_TIMEOUT_MS, onTimeout);
    socket.once("error", refuse);
    socket.once("connect", () => {
      socket.setTimeout(0);
      socket.off("timeout", onTimeout);
      socket.off("error", refuse);
      callback(null, socket);
    });
  };
}
