import fc from "fast-check";
import { expect, it } from "vitest";
import { createFrameReader } from "./log-receiver.ts";

it("messages arrive whole, however the bytes are cut", () => {
  const message = fc.string({ unit: fc.constantFrom("a", " ", "7", "-"), maxLength: 30 });
  fc.assert(
    fc.property(fc.array(message), fc.integer({ min: 1, max: 9 }), (messages, size) => {
      const bytes = Buffer.from(messages.map((each) => `${each.length} ${each}`).join(""));
      const met: string[] = [];
      const read = createFrameReader((each) => met.push(each));
      for (let at = 0; at < bytes.length; at += size) expect(read(bytes.subarray(at, at + size))).toBe(true);
      expect(met).toEqual(messages);
    }),
  );
});

it("a sender that is out of step is noticed", () => {
  expect(createFrameReader(() => {})(Buffer.from("GET / HTTP/1.1"))).toBe(false);
});
