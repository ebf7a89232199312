import { parseServiceFile } from "@mainstay/api";
import { describe, expect, it } from "vitest";
import { propose } from "./propose.ts";
import { readDockerfile, readPackage, readProcfile, type Findings } from "./sources.ts";

const WISHES = { directoryName: "shop", health: "/healthz" };

function proposalFrom(...sources: (Findings | null)[]) {
  const proposal = propose(
    sources.filter((each) => each !== null),
    WISHES,
  );
  if (!proposal) throw new Error("nothing was proposed");
  return { ...proposal, file: parseServiceFile(proposal.text, "mainstay.yaml") };
}

const commandsOf = (...sources: (Findings | null)[]) =>
  Object.fromEntries(
    Object.entries(proposalFrom(...sources).file.processes).map(([name, each]) => [name, each.command]),
  );

describe("a proposal from package.json", () => {
  it("starts node itself where the script does nothing else, and npm where it does more", () => {
    const scripts = { start: "node server.js", worker: "tsc && node worker.js" };
    const found = readPackage(JSON.stringify({ name: "@acme/My_Shop", scripts }), false);
    expect(commandsOf(found)).toEqual({ web: "node server.js", worker: "npm run worker" });
    expect(proposalFrom(found).file.service).toBe("my-shop");
    expect(proposalFrom(found).file.processes["web"]).toMatchObject({
      port: "auto",
      health: { path: "/healthz" },
    });
  });

  it("falls back to server.js, then to main, and says what it read", () => {
    expect(commandsOf(readPackage("{}", true))).toEqual({ web: "node server.js" });
    expect(commandsOf(readPackage('{"main":"lib/index.js"}', false))).toEqual({ web: "node lib/index.js" });
    const engines = readPackage('{"main":"a.js","engines":{"node":">=22"},"scripts":{"build":"x"}}', false);
    expect(proposalFrom(engines).found.join("\n")).toMatch(/asks for Node >=22[^]*script "build"/);
  });

  it("is none for a package that starts nothing, or is not JSON", () => {
    expect(
      propose(
        [readPackage('{"name":"lib"}', false)].filter((each) => each !== null),
        WISHES,
      ),
    ).toBeNull();
    expect(readPackage("not json", false)).toBeNull();
  });
});

describe("a proposal from a Procfile", () => {
  it("takes every process type, and tells of the release command", () => {
    const found = readProcfile(
      "web: node web.js --port $PORT\n# no\nWorker_2: node w.js\r\nrelease: npm run migrate\n",
    );
    expect(commandsOf(found)).toEqual({ web: "node web.js --port $PORT", "worker-2": "node w.js" });
    expect(proposalFrom(found).found).toContain("release command: npm run migrate (Procfile)");
  });

  it("comes before the other files, which are named", () => {
    const found = proposalFrom(readProcfile("web: a"), readPackage('{"name":"x","main":"b.js"}', false));
    expect(found.file.service).toBe("x");
    expect(found.found).toContain("package.json starts something too; Procfile came first.");
  });
});

describe("a proposal from a Dockerfile", () => {
  it("joins entrypoint and command of the last stage, quotes their words, and speaks of the port", () => {
    const found = readDockerfile(
      'FROM node AS build\nCMD ["wrong"]\nFROM node\nEXPOSE 3000/tcp\nENTRYPOINT ["node", \\\n  "my server.js"]\ncmd ["--it\'s"]\n',
    );
    expect(commandsOf(found)).toEqual({ web: `node 'my server.js' '--it'\\''s'` });
    expect(proposalFrom(found).found.join("\n")).toMatch(/listens on 3000[^]*variable PORT/);
  });

  it("takes the shell form as it is, and is none without a command", () => {
    expect(commandsOf(readDockerfile("FROM x\nCMD node server.js && echo"))).toEqual({
      web: "node server.js && echo",
    });
    expect(readDockerfile("FROM x\nRUN y")).toBeNull();
  });
});

describe("what nobody can know", () => {
  it("is said, with how to set it", () => {
    const found = readProcfile("web: a") ?? { from: "", processes: {}, notes: [] };
    expect(propose([found], { ...WISHES, health: null })?.unknown.join("\n")).toMatch(/is a guess.*--health/);
    expect(propose([found], WISHES)?.unknown.join("\n")).not.toMatch(/is a guess/);
    const noWeb = readProcfile("worker: a") ?? found;
    expect(propose([noWeb], WISHES)?.unknown.join("\n")).toMatch(/which process gets the traffic/);
  });
});
