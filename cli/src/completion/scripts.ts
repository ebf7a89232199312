import type { CompletionNode, CompletionOption } from "./command-tree.ts";

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

/**
 * The script that teaches a shell every command; names of services and the like are asked for when needed.
 */
export function completionScript(shell: Shell, nodes: readonly CompletionNode[]): string {
  const make = { bash: bashScript, zsh: zshScript, fish: fishScript }[shell];
  return `${make(nodes)}\n`;
}

const HEAD = "made by: mainstay completion";
const key = (path: readonly string[]) => path.map((word) => ` ${word}`).join("");

function flagsOf(node: CompletionNode): string[] {
  return node.options.flatMap((each) => each.flags);
}

/** Options with a value, by what can stand there: the names, or a file. */
function valueOptions(nodes: readonly CompletionNode[]): CompletionOption[] {
  const all = nodes.flatMap((node) => node.options).filter((each) => each.takesValue);
  return [...new Map(all.map((each) => [each.flags[0], each])).values()];
}

function bashScript(nodes: readonly CompletionNode[]): string {
  const places = nodes.map((node) => {
    const words = [...node.commands.map((each) => each.name), ...flagsOf(node)].join(" ");
    return `    ${quote(key(node.path))}) words=${quote(words)}; names=${quote(node.names ?? "")} ;;`;
  });
  return `# bash, ${HEAD}
_mainstay() {
  local word at= previous=\${COMP_WORDS[COMP_CWORD-1]} current=\${COMP_WORDS[COMP_CWORD]} words= names= i
${placeFinder(nodes, "    ")}
  case "$previous" in
${valueCases(nodes)}
  esac
  case "$at" in
${places.join("\n")}
  esac
  if [[ -n $names && $current != -* ]]; then
    words+=" $(mainstay completion names "$names" 2>/dev/null)"
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o bashdefault -o default -F _mainstay mainstay`;
}

/** Walks over the words before the cursor, as far as they name commands. */
function placeFinder(nodes: readonly CompletionNode[], indent: string): string {
  const known = nodes.filter((node) => node.path.length > 0).map((node) => quote(key(node.path)));
  return `  for ((i = 1; i < COMP_CWORD; i++)); do
${indent}word=\${COMP_WORDS[i]}
${indent}case "$at $word" in
${indent}  ${known.join("|")}) at="$at $word" ;;
${indent}esac
  done`;
}

function valueCases(nodes: readonly CompletionNode[]): string {
  return valueOptions(nodes)
    .map(({ flags, names }) => {
      const reply =
        names === null
          ? "COMPREPLY=()"
          : `COMPREPLY=($(compgen -W "$(mainstay completion names ${names} 2>/dev/null)" -- "$current"))`;
      return `    ${flags.join("|")}) ${reply}; return ;;`;
    })
    .join("\n");
}

function zshScript(nodes: readonly CompletionNode[]): string {
  const places = nodes.map((node) => {
    const described = [
      ...node.commands.map((each) => `${each.name}:${each.about}`),
      ...node.options.flatMap((each) => each.flags.map((flag) => `${flag}:${each.about}`)),
    ];
    const list = described.map((each) => quote(each)).join(" ");
    return `    ${quote(key(node.path))}) choices=(${list}); names=${quote(node.names ?? "")} ;;`;
  });
  const known = nodes.filter((node) => node.path.length > 0).map((node) => quote(key(node.path)));
  const values = valueOptions(nodes).map(({ flags, names }) => {
    const reply =
      names === null ? "_files" : `compadd -- \${=$(mainstay completion names ${names} 2>/dev/null)}`;
    return `    ${flags.join("|")}) ${reply}; return ;;`;
  });
  return `#compdef mainstay
# zsh, ${HEAD}
_mainstay() {
  local word at= names=
  local -a choices
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "$at $word" in
      ${known.join("|")}) at="$at $word" ;;
    esac
  done
  case "\${words[CURRENT-1]}" in
${values.join("\n")}
  esac
  case "$at" in
${places.join("\n")}
  esac
  _describe mainstay choices
  if [[ -n $names && $PREFIX != -* ]]; then
    compadd -- \${=$(mainstay completion names "$names" 2>/dev/null)}
  elif [[ -z $names && $PREFIX != -* ]]; then
    _files
  fi
}
if [[ "\${funcstack[1]}" = _mainstay ]]; then _mainstay "$@"; else compdef _mainstay mainstay; fi`;
}

function fishScript(nodes: readonly CompletionNode[]): string {
  const known = nodes.filter((node) => node.path.length > 0).map((node) => fishQuote(key(node.path)));
  const lines = nodes.flatMap((node) => {
    const here = `complete -c mainstay -n ${fishQuote(`__mainstay_at ${fishQuote(key(node.path))}`)}`;
    const names =
      node.names === null ? [] : [`${here} -f -a '(mainstay completion names ${node.names} 2>/dev/null)'`];
    return [
      ...node.commands.map((each) => `${here} -f -a ${each.name} -d ${fishQuote(each.about)}`),
      ...node.options.map((each) => `${here} ${fishOption(each)}`),
      ...names,
    ];
  });
  return `# fish, ${HEAD}
function __mainstay_at
  set -l at ''
  for word in (commandline -opc)[2..-1]
    if contains -- "$at $word" ${known.join(" ")}
      set at "$at $word"
    end
  end
  test "$at" = "$argv[1]"
end
${lines.join("\n")}`;
}

function fishOption({ flags, about, takesValue, names }: CompletionOption): string {
  const words = flags.map((flag) => (flag.startsWith("--") ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`));
  const values = names === null ? "" : ` -f -a '(mainstay completion names ${names} 2>/dev/null)'`;
  return `${words.join(" ")}${takesValue ? ` -r${values}` : ""} -d ${fishQuote(about)}`;
}

/** For bash and zsh. */
function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function fishQuote(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
