import type { Command } from "commander";
import type { WithContext } from "./commands/deploy.ts";

/** What a command is given to add itself to the program. */
export interface Hands {
  /** With a server to speak to. */
  server: [program: Command, withContext: WithContext];
  /** Without one. */
  own: [program: Command, withOwnContext: WithContext];
  print: (text: string) => void;
  /** The program with every command. */
  wholeProgram: () => Promise<Command>;
}

export interface CommandModule {
  /** The first words of the command lines it is loaded for. */
  names: string[];
  add: (hands: Hands) => Promise<void>;
}

/**
 * Every command in the order of `mainstay --help`. A command line loads the module of its own word and no
 * other: all of them together take longer to load than most of them take to do their work.
 */
export const COMMANDS: CommandModule[] = [
  {
    names: ["up"],
    add: async ({ own, print }) => (await import("./commands/up.ts")).addUp(own[0], print),
  },
  { names: ["demo"], add: async ({ own }) => (await import("./demo/demo.ts")).addDemo(...own) },
  {
    names: ["deploy"],
    add: async ({ server }) => (await import("./commands/deploy.ts")).addDeploy(...server),
  },
  {
    names: ["promote"],
    add: async ({ server }) => (await import("./commands/promote.ts")).addPromotion(...server),
  },
  {
    names: ["status", "rollback"],
    add: async ({ server }) => (await import("./commands/status.ts")).addDaily(...server),
  },
  { names: ["logs"], add: async ({ server }) => (await import("./commands/logs.ts")).addLogs(...server) },
  { names: ["scale"], add: async ({ server }) => (await import("./commands/scale.ts")).addScale(...server) },
  { names: ["env"], add: async ({ server }) => (await import("./commands/settings.ts")).addEnv(...server) },
  {
    names: ["secrets"],
    add: async ({ server: [program, withContext], own: [, withOwnContext] }) =>
      (await import("./commands/secrets.ts")).addSecrets(program, { withContext, withOwnContext }),
  },
  { names: ["run"], add: async ({ server }) => (await import("./commands/run.ts")).addRun(...server) },
  {
    names: ["releases"],
    add: async ({ server }) => (await import("./commands/releases.ts")).addReleases(...server),
  },
  {
    names: ["builds"],
    add: async ({ server }) => (await import("./commands/builds.ts")).addBuilds(...server),
  },
  {
    names: ["change"],
    add: async ({ server }) => (await import("./commands/change.ts")).addChange(...server),
  },
  {
    names: ["metrics"],
    add: async ({ server: [program, withContext], own: [, withOwnContext] }) =>
      (await import("./commands/metrics.ts")).addMetrics(program, { withContext, withOwnContext }),
  },
  {
    names: ["maintenance"],
    add: async ({ server }) => (await import("./commands/maintenance.ts")).addMaintenance(...server),
  },
  { names: ["audit"], add: async ({ server }) => (await import("./commands/audit.ts")).addAudit(...server) },
  {
    names: ["certificates"],
    add: async ({ server }) => (await import("./commands/certificates.ts")).addCertificates(...server),
  },
  {
    names: ["channels", "problems"],
    add: async ({ server }) => (await import("./commands/channels.ts")).addChannels(...server),
  },
  {
    names: ["break-glass"],
    add: async ({ own }) => (await import("./commands/break-glass.ts")).addBreakGlass(...own),
  },
  { names: ["setup"], add: async ({ server }) => (await import("./commands/setup.ts")).addSetup(...server) },
  {
    names: ["login", "logout", "whoami", "step-up"],
    add: async ({ server }) => (await import("./commands/login.ts")).addLogin(...server),
  },
  {
    names: ["password", "sessions", "factors"],
    add: async ({ server }) => (await import("./commands/account.ts")).addAccount(...server),
  },
  {
    names: ["tokens"],
    add: async ({ server }) => (await import("./commands/tokens.ts")).addTokens(...server),
  },
  { names: ["users"], add: async ({ server }) => (await import("./commands/users.ts")).addUsers(...server) },
  { names: ["roles"], add: async ({ server }) => (await import("./commands/roles.ts")).addRoles(...server) },
  { names: ["teams"], add: async ({ server }) => (await import("./commands/teams.ts")).addTeams(...server) },
  {
    names: ["grants"],
    add: async ({ server }) => (await import("./commands/grants.ts")).addGrants(...server),
  },
  { names: ["keys"], add: async ({ server }) => (await import("./commands/keys.ts")).addKeys(...server) },
  { names: ["config"], add: async ({ own }) => (await import("./commands/config.ts")).addConfig(...own) },
  { names: ["remote"], add: async ({ own }) => (await import("./commands/remote.ts")).addRemote(...own) },
  { names: ["digest"], add: async ({ own }) => (await import("./commands/digest.ts")).addDigest(...own) },
  { names: ["init"], add: async ({ own }) => (await import("./commands/init.ts")).addInit(...own) },
  {
    names: ["simulate"],
    add: async ({ own }) => (await import("./commands/simulate.ts")).addSimulate(...own),
  },
  { names: ["install"], add: async ({ own }) => (await import("./commands/install.ts")).addInstall(...own) },
  {
    names: ["upgrade", "uninstall"],
    add: async ({ own }) => (await import("./commands/upgrade.ts")).addUpgrade(...own),
  },
  { names: ["doctor"], add: async ({ own }) => (await import("./commands/doctor.ts")).addDoctor(...own) },
  {
    names: ["agent-environment"],
    add: async ({ own }) => (await import("./commands/agent-environment.ts")).addAgentEnvironment(own[0]),
  },
  {
    names: ["completion"],
    add: async ({ server, wholeProgram }) =>
      (await import("./commands/completion.ts")).addCompletion(...server, wholeProgram),
  },
];
