import { rollOut } from "/work/main/bench/judge/rollout.ts";
import { createJudge } from "@mainstay/evidence";
import { WORLDS } from "/work/main/bench/judge/worlds.ts";
import { HEALTHY } from "/work/main/bench/judge/traffic.ts";
const stages = [0.1, 0.25, 0.5].map((weight) => ({ weight, bakeMs: 120000 }));
const w = WORLDS.find((w) => w.name === process.argv[2])!;
let n = 0;
for (let i = 0; i < 1000 && n < 14; i++) {
  const judge = createJudge({ metrics: ["errors", "latency"] });
  const hist: any[] = [];
  let last: any;
  const o = {
    startStage: (t: number) => {
      judge.startStage(t);
    },
    see(s: any) {
      if (s.requests) {
        judge.add(s.errors);
        hist.push(structuredClone(s.errors));
      }
      if (s.requests && s.hasBound) judge.add(s.latency);
      last = judge.evaluate();
      return last.verdict;
    },
  };
  const r = rollOut(
    { world: w, ratePerSecond: +process.argv[3], regression: HEALTHY, stages, policy: "advance" },
    o,
    i * 7919,
  );
  if (r.end === "undone") {
    n++;
    const m = last.perMetric.find((m: any) => m.verdict === "harm");
    console.log(r.atMs / 1000, m.metric, "from", m.fromMs / 1000, "d", m.designEffect.toFixed(2), m.reason);
    if (m.metric === "errors") {
      const g = (a: string, k: string) => {
        const v = Array(20).fill(0);
        for (const s of hist) if (s.atMs >= m.fromMs) s[a][k].forEach((x: number, i: number) => (v[i] += x));
        return v.join(" ");
      };
      console.log("   C", g("candidate", "bad"), "\n   S", g("stable", "bad"));
    }
  }
}
