import type { KeeperOf } from "@mainstay/api";
import type { CheckpointKeeper } from "../../core/audit/index.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { Channels } from "../channels/index.ts";

export interface KeeperTools {
  channels: Pick<Channels, "send">;
  clock: Clock;
}

/** Checkpoints as messages of a channel: a webhook, or a mailbox that nobody here can empty. */
export function createChannelKeeper(
  { channel, every }: KeeperOf<"channel">,
  { channels, clock }: KeeperTools,
): CheckpointKeeper {
  return {
    target: `channel ${channel}`,
    everyMs: every,
    async keep({ checkpoint, vkey }, signal) {
      const { origin, size, note } = checkpoint;
      const root = Buffer.from(checkpoint.root).toString("base64");
      // The same in every attempt: a receiver knows that it has this one already.
      const id = `checkpoint-${Buffer.from(origin).toString("hex").slice(-24)}-${size}`;
      const about = {
        ...{ specversion: "1.0", id, source: "mainstay", type: "audit.checkpoint_signed", subject: origin },
        ...{ time: clock.now().toISOString(), datacontenttype: "application/json" },
        data: { origin, size, root, vkey, note },
      };
      const text = [
        `The audit log ${origin} has ${size} entries. Keep this message: it shows whether they are altered later.`,
        note,
        `Its key: ${vkey}`,
        "To compare, save the lines from the name of the log to the signature as kept.txt:\n" +
          "mainstay audit verify --since kept.txt",
      ].join("\n\n");
      const title = `Checkpoint of the audit log: ${size} entries`;
      await channels.send(channel, { id, thread: id, title, text, payload: JSON.stringify(about) }, signal);
      return { cosignature: null };
    },
  };
}
