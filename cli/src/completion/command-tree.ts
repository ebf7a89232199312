import type { Command, Option } from "commander";

/** What a running server, or a file of this account, can name. */
export const NAME_KINDS = ["services", "changes", "releases", "remotes"] as const;
export type NameKind = (typeof NAME_KINDS)[number];

export interface CompletionOption {
  /** As in "--json", "-f". */
  flags: string[];
  about: string;
  takesValue: boolean;
  names: NameKind | null;
}

/** What may stand behind a command. */
export interface CompletionNode {
  /** The words that lead there; none for the program itself. */
  path: string[];
  commands: { name: string; about: string }[];
  options: CompletionOption[];
  names: NameKind | null;
}

/** Every command with its subcommands and options, hidden ones left out, read from the program itself. */
export function readCommandTree(program: Command): CompletionNode[] {
  const shared = optionsOf(program);
  const read = (command: Command, path: string[]): CompletionNode[] => {
    const children = command.createHelp().visibleCommands(command);
    const own = command === program ? [] : optionsOf(command);
    const node = {
      path,
      commands: children.map((each) => ({ name: each.name(), about: firstSentence(each.description()) })),
      options: withoutRepeats([...own, ...shared]),
      names: namesFor(argumentsOf(command), path),
    };
    const below = children.filter((each) => each.name() !== "help");
    return [node, ...below.flatMap((each) => read(each, [...path, each.name()]))];
  };
  return read(program, []);
}

/** Those of the command that runs when no subcommand is named count as its parent's. */
function argumentsOf(command: Command): string[] {
  const named = command.registeredArguments.map((each) => each.name());
  const list = command.commands.find((each) => each.name() === "list");
  return named.length > 0 || !list ? named : list.registeredArguments.map((each) => each.name());
}

function optionsOf(command: Command): CompletionOption[] {
  return command
    .createHelp()
    .visibleOptions(command)
    .map((option) => ({
      flags: [option.long, option.short].flatMap((flag) => flag ?? []),
      about: firstSentence(option.description),
      takesValue: option.required || option.optional,
      names: namesForOption(option),
    }));
}

function withoutRepeats(options: CompletionOption[]): CompletionOption[] {
  const byName = new Map(options.toReversed().map((each) => [each.flags[0], each]));
  return [...byName.values()].toReversed();
}

const BY_ARGUMENT: Record<string, NameKind> = {
  service: "services",
  release: "releases",
  from: "releases",
  to: "releases",
};

function namesFor(args: string[], path: string[]): NameKind | null {
  const [parent = "", verb = ""] = path;
  if (parent === "change" && args.includes("id")) return "changes";
  if (parent === "remote" && (verb === "remove" || verb === "use")) return "remotes";
  return args.map((name) => BY_ARGUMENT[name]).find((kind) => kind !== undefined) ?? null;
}

function namesForOption({ long }: Option): NameKind | null {
  const byFlag: Record<string, NameKind> = {
    "--remote": "remotes",
    "--service": "services",
    "--release": "releases",
  };
  return byFlag[long ?? ""] ?? null;
}

/** Short enough to stand beside a word. */
function firstSentence(text: string): string {
  return text.split(/[;:(]| – /)[0]?.trim() ?? "";
}
