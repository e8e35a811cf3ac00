// Completion for bash. It needs no package: what the daemon knows is asked with the hidden command `names`.

import type { CommandSpec, OptionSpec, ProgramSpec, Values } from './spec.js';

/** The statement that offers what may stand at a place. */
function offer(values: Values): string {
  switch (values.kind) {
    case 'words':
      return `__words='${values.words.join(' ')}'`;
    case 'names':
      return `__names=${values.of}`;
    case 'files':
      return '__files=1';
    case 'any':
      return ':';
  }
}

function optionCases(command: string, options: readonly OptionSpec[]): string[] {
  return options.flatMap(({ flags, values }) =>
    values === undefined ? [] : [`    ${flags.map((flag) => `${command}/${flag}`).join(' | ')}) ${offer(values)} ;;`],
  );
}

function argumentCases({ name, args }: CommandSpec): string[] {
  return args.map((values, place) => `    ${name}/${place}) ${offer(values)} ;;`);
}

function flagsOf(options: readonly OptionSpec[]): string {
  return options.flatMap(({ flags }) => flags.slice(-1)).join(' ');
}

/** Writes the script, for \`source\` or a file of /usr/share/bash-completion/completions. */
export function bashCompletion({ name, options, commands }: ProgramSpec): string {
  const id = `_${name.replaceAll('-', '_')}`;
  const taking = [...options, ...commands.flatMap((command) => command.options)].filter(
    ({ values }) => values !== undefined,
  );
  const takers = [...new Set(taking.flatMap(({ flags }) => flags))];
  return `# Completion of ${name} for bash.

${id}() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]}
  local command='' place=0 i word socket=() __words='' __names='' __files='' __taken=''
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    case $word in
      ${takers.join(' | ')})
        if [[ $word == --socket ]]; then socket=(--socket "\${COMP_WORDS[i + 1]}"); fi
        ((i++))
        ;;
      -*) ;;
      *) if [[ -z $command ]]; then command=$word; else ((place++)); fi ;;
    esac
  done
  case $command/$prev in
${['', ...commands.map((command) => command.name)]
  .flatMap((command) => optionCases(command, commands.find((each) => each.name === command)?.options ?? options))
  .join('\n')}
    *) __taken=1 ;;
  esac
  if [[ -n $__taken && $cur == -* ]]; then
    case $command in
${commands.map((command) => `      ${command.name}) __words='${flagsOf(command.options)}' ;;`).join('\n')}
      *) __words='${flagsOf(options)}' ;;
    esac
  elif [[ -n $__taken && -z $command ]]; then
    __words='${commands.map((command) => command.name).join(' ')}'
  elif [[ -n $__taken ]]; then
    case $command/$place in
${commands.flatMap(argumentCases).join('\n')}
    esac
  fi
  if [[ -n $__words ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$__words" -- "$cur")
  elif [[ -n $__names ]]; then
    while IFS= read -r word; do
      if [[ $word == "$cur"* ]]; then COMPREPLY+=("$(printf %q "$word")"); fi
    done < <(command ${name} names "$__names" "$cur" "\${socket[@]}" 2>/dev/null)
    if [[ $__names == paths && \${#COMPREPLY[@]} == 1 && \${COMPREPLY[0]} == */ ]]; then compopt -o nospace; fi
  elif [[ -n $__files ]]; then
    compopt -o filenames
    mapfile -t COMPREPLY < <(compgen -f -- "$cur")
  fi
}
complete -F ${id} ${name}
`;
}
