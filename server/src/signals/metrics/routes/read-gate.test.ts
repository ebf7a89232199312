import { expect, it } from "vitest";
import { createReadGate } from "./read-gate.ts";

const patient = () => new AbortController().signal;

it("lets in as many as there are places, and others in the order in which they came", async () => {
  const gate = createReadGate(2);
  const entered: string[] = [];
  const come = async (name: string) => {
    const leave = await gate.enter(patient());
    entered.push(name);
    return leave;
  };
  const [leaveA] = await Promise.all([come("a"), come("b")]);
  const [c, d] = [come("c"), come("d")];
  expect(entered).toEqual(["a", "b"]);
  leaveA();
  leaveA();
  const leaveC = await c;
  expect(entered).toEqual(["a", "b", "c"]);
  leaveC();
  await d;
  expect(entered).toEqual(["a", "b", "c", "d"]);
});

it("forgets whoever does not wait any longer", async () => {
  const gate = createReadGate(1);
  const leave = await gate.enter(patient());
  const impatient = new AbortController();
  const waiting = gate.enter(impatient.signal);
  const next = gate.enter(patient());
  impatient.abort(new Error("gone"));
  await expect(waiting).rejects.toThrow("gone");
  leave();
  await next;
  await expect(gate.enter(impatient.signal)).rejects.toThrow("gone");
});
