import type { KeeperOf } from "@mainstay/api";
import { createVerifier, openNote } from "@mainstay/tlog";
import { writeRequest, type CheckpointKeeper, type CheckpointPush } from "../../core/audit/index.ts";

const TIMEOUT_MS = 15_000;
const CONFLICT = 409;
const ANSWER_MAX = 16_384;

/** A witness as https://c2sp.org/tlog-witness says, such as another Mainstay. */
export function createWitnessKeeper({ url, vkey, every }: KeeperOf<"witness">): CheckpointKeeper {
  const endpoint = `${url.replace(/\/+$/, "")}/add-checkpoint`;

  async function submit(push: CheckpointPush, oldSize: number, signal: AbortSignal) {
    if (oldSize > push.checkpoint.size)
      throw new Error(`it has seen ${oldSize} entries of this log, which has ${push.checkpoint.size} now`);
    const proof = await push.prove(oldSize);
    const response = await fetch(endpoint, {
      method: "POST",
      headers: { "content-type": "text/plain" },
      body: writeRequest({ oldSize, proof, note: push.checkpoint.note }),
      redirect: "manual",
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    const text = (await response.text()).slice(0, ANSWER_MAX);
    return { status: response.status, text };
  }

  return {
    target: new URL(url).origin,
    everyMs: every,
    async keep(push, signal) {
      let { status, text } = await submit(push, push.keptSize, signal);
      // It has seen another size than we know of: it says which.
      if (status === CONFLICT && /^[0-9]{1,15}\n$/.test(text) && Number(text) !== push.keptSize)
        ({ status, text } = await submit(push, Number(text), signal));
      if (status !== 200) throw new Error(`answered ${status}: ${text.split("\n")[0]}`);
      if (vkey !== undefined) openNote(push.checkpoint.note + text, [createVerifier(vkey)]);
      return { cosignature: text };
    },
  };
}
