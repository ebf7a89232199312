/** CloudEvents 1.0 (https://cloudevents.io) with its place in the order of things. */
export interface Event {
  id: string;
  source: string;
  /** `<channel>.<past_tense>`, e.g. "changes.stage_advanced". */
  type: string;
  subject: string;
  /** RFC 3339, UTC, milliseconds. */
  time: string;
  data: Record<string, unknown>;
  channel: string;
  /** From 1, without a gap, within the channel. */
  seq: number;
  /** From 1, without a gap, over all channels: what a reader remembers to go on from. */
  position: number;
}

export interface NewEvent {
  type: string;
  subject: string;
  data: Record<string, unknown>;
  /** The part of the type before the dot, unless given. */
  channel?: string;
}

/** Which events somebody wants; every part that is given must match. */
export interface EventFilter {
  channels?: readonly string[] | undefined;
  types?: readonly string[] | undefined;
  subject?: string | undefined;
}

const TYPE = /^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$/;
const DATA_LIMIT_BYTES = 256 * 1024;

/** The channel and the JSON text of a new event; throws when it is not one that may be emitted. */
export function checkEvent({ type, data, channel }: NewEvent): { channel: string; data: string } {
  if (!TYPE.test(type)) throw new Error(`an event type has the form "room.past_tense", not "${type}"`);
  const text = JSON.stringify(data);
  const sizeBytes = Buffer.byteLength(text);
  if (sizeBytes > DATA_LIMIT_BYTES)
    throw new Error(`the data of a ${type} event has ${sizeBytes} bytes, the limit is ${DATA_LIMIT_BYTES}`);
  return { channel: channel ?? type.slice(0, type.indexOf(".")), data: text };
}
