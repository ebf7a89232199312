import { rollOut, createJudgeOverseer } from "./rollout.ts";
import { WORLDS } from "./worlds.ts";
const [,, name, rates, runs, kinds="e2,e5,l2,l5", policies="hold,advance", from="0"] = process.argv;
const H=3600000;
const stages=[{weight:.1,bakeMs:H},{weight:.25,bakeMs:2*H},{weight:.5,bakeMs:2*H}];
const pareto=(r:any)=>Math.min((1-r.uniform())**(-1/1.2),100);const ln=(r:any)=>Math.exp(r.normal());
const few=(n:number,a:any,p:(r:any)=>number)=>(r:any)=>Array.from({length:n},()=>({activity:a(r),errorShare:p(r),logSlowness:.5*r.normal()}));
const CL=WORLDS.find(w=>w.name==="clustered")!;
const g=(r:any)=>Math.min(1,r.gamma(.5)/.5*.005);
const extra:any={mild:{...CL,users:few(1000,pareto,g)},mildln:{...CL,users:few(1000,ln,g)},mildln1:{...CL,burst:1,users:few(1000,ln,g)},ind1000:{...CL,burst:1,users:few(1000,ln,()=>.005)}};
const w=extra[name]??WORLDS.find(w=>w.name===name)!;
for(const rate of rates.split(",").map(Number)) for(const kind of kinds.split(",")) for(const policy of policies.split(",") as any[]){
 const f=Number(kind.slice(1)); const regression={errorFactor:kind[0]==="e"?f:1,latencyFactor:kind[0]==="l"?f:1,fromMs:+from*1000};
 const t0=process.cpuUsage(); const c:any={undone:0,promoted:0,held:0}; const at:number[]=[];
 for(let i=0;i<+runs;i++){const o=rollOut({world:w,ratePerSecond:rate,regression,stages,policy},createJudgeOverseer(),i*7919+13); c[o.end]++; if(o.end==="undone")at.push(o.atMs/1000)}
 at.sort((a,b)=>a-b);
 const u=process.cpuUsage(t0); console.log(name,rate,kind,policy,JSON.stringify(c),"median s",at[at.length>>1],"p90",at[Math.floor(at.length*.9)],"cpu s/run",((u.user+u.system)/1e6/+runs).toFixed(3));
}
