import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { writeFrame } from "../testing/web-socket-server.ts";
import { closeFrame, createFrameFollower } from "./websocket-frames.ts";

const frame = fc
  .record({
    opcode: fc.constantFrom(0, 1, 2, 9, 10),
    size: fc.oneof(fc.nat(200), fc.constantFrom(125, 126, 65_535, 65_536)),
  })
  .map(({ opcode, size }) => writeFrame({ opcode, payload: Buffer.alloc(size, 0x88) }));

describe("a follower of frames", () => {
  it("knows where frames end, however the bytes are cut", () => {
    fc.assert(
      fc.property(fc.array(frame, { minLength: 1, maxLength: 5 }), fc.array(fc.nat()), (frames, cuts) => {
        const all = Buffer.concat(frames);
        const ends = new Set(frames.map((_, index) => Buffer.concat(frames.slice(0, index + 1)).length));
        const places = [...new Set(cuts.map((each) => each % all.length)), all.length].toSorted(
          (a, b) => a - b,
        );
        const follower = createFrameFollower();
        let from = 0;
        for (const to of places) {
          const first = [...ends].filter((end) => end > from && end <= to).toSorted((a, b) => a - b)[0];
          const found = follower.follow(all.subarray(from, to));
          expect(found).toBe(first === undefined ? -1 : first - from);
          if (to > 0) expect(follower.isBetweenFrames()).toBe(ends.has(to));
          from = to;
        }
        expect(follower.hasSeenClose()).toBe(false);
      }),
    );
  });

  it("sees a close frame, and none in what only looks like one", () => {
    const follower = createFrameFollower();
    follower.follow(writeFrame({ opcode: 2, payload: closeFrame(1000, "inside") }));
    expect(follower.hasSeenClose()).toBe(false);
    follower.follow(closeFrame(1001, "going"));
    expect([follower.hasSeenClose(), follower.isBetweenFrames()]).toEqual([true, true]);
  });
});
