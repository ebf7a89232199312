import { rollOut, createJudgeOverseer } from "./rollout.ts";
import { WORLDS, CLUSTERED } from "./worlds.ts";
import { HEALTHY } from "./traffic.ts";
const H = 3600000;
const stages = [
  { weight: 0.1, bakeMs: H },
  { weight: 0.25, bakeMs: 2 * H },
  { weight: 0.5, bakeMs: 2 * H },
];
const few = (n: number, p: (r: any) => number) => (r: any) =>
  Array.from({ length: n }, () => ({
    activity: Math.min((1 - r.uniform()) ** (-1 / 1.2), 100),
    errorShare: p(r),
    logSlowness: 0.5 * r.normal(),
  }));
const g = (r: any) => Math.min(1, (r.gamma(0.05) / 0.05) * 0.005);
const extra: any = {
  few: { ...CLUSTERED, name: "few", users: few(40, g) },
  few200: { ...CLUSTERED, name: "few200", users: few(200, g) },
  mild: { ...CLUSTERED, name: "mild", users: few(1000, (r) => Math.min(1, (r.gamma(0.5) / 0.5) * 0.005)) },
  brokenb: { ...CLUSTERED, name: "brokenb", users: few(1000, (r) => (r.uniform() < 0.005 ? 1 : 0.001)) },
};
const [, , names, rates, runs, short] = process.argv;
for (const n of names.split(","))
  for (const rate of rates.split(",").map(Number)) {
    const w = extra[n] ?? WORLDS.find((w) => w.name === n);
    const c: any = { undone: 0, promoted: 0, held: 0 };
    const at: number[] = [];
    const t0 = process.cpuUsage();
    for (let i = 0; i < +runs; i++) {
      const o = rollOut(
        {
          world: w,
          ratePerSecond: rate,
          regression: HEALTHY,
          stages: short ? stages.map((s) => ({ ...s, bakeMs: 120000 })) : stages,
          policy: "advance",
        },
        createJudgeOverseer(),
        i * 7919 + 77,
      );
      c[o.end]++;
      if (o.end === "undone") at.push(o.atMs / 1000);
    }
    const u = process.cpuUsage(t0);
    console.log(
      n,
      rate,
      JSON.stringify(c),
      "cpu",
      ((u.user + u.system) / 1e6).toFixed(0),
      at.slice(0, 10).join(" "),
    );
  }
