import { rollOut, createJudgeOverseer } from "/work/main/bench/judge/rollout.ts";
import { WORLDS } from "/work/main/bench/judge/worlds.ts";
import { HEALTHY } from "/work/main/bench/judge/traffic.ts";
const [, , names, rates, runs, off] = process.argv;
const stages = [0.1, 0.25, 0.5].map((weight) => ({ weight, bakeMs: 120000 }));
for (const w of WORLDS.filter((w) => names === "all" || names.split(",").includes(w.name)))
  for (const rate of rates.split(",").map(Number)) {
    const t0 = process.cpuUsage();
    let undone = 0;
    const at: number[] = [];
    for (let i = 0; i < +runs; i++) {
      const o = rollOut(
        { world: w, ratePerSecond: rate, regression: HEALTHY, stages, policy: "advance" },
        createJudgeOverseer(),
        i * 7919 + Number(off ?? 0),
      );
      if (o.end === "undone") {
        undone++;
        at.push(o.atMs / 1000);
      }
    }
    const u = process.cpuUsage(t0);
    console.log(
      w.name,
      rate,
      "undone",
      undone,
      "of",
      runs,
      ((100 * undone) / +runs).toFixed(2) + "%",
      "cpu s",
      ((u.user + u.system) / 1e6).toFixed(1),
      at.slice(0, 12).join(" "),
    );
  }
