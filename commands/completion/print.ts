import type { CommandSpec, Run } from '../command.ts';
import type { Shell } from './specs.ts';

// Each script hands the words up to the cursor to `streams __complete`, which answers `value<TAB>description` lines,
// or `:files` where paths are wanted.
const scripts: Record<Shell, string> = {
  // The words are cut anew: bash has split them at colons (COMP_WORDBREAKS), and puts only what follows the last one.
  bash: `_streams() {
  local IFS=$' \\t\\n' line="\${COMP_LINE:0:COMP_POINT}"
  local -a words
  read -ra words <<< "$line"
  [[ "$line" == *[[:space:]] ]] && words+=("")
  local cur="\${words[\${#words[@]}-1]}" stem="" value
  [[ "$cur" == *:* && "$COMP_WORDBREAKS" == *:* ]] && stem="\${cur%:*}:"
  COMPREPLY=()
  while IFS=$'\\t' read -r value _; do
    if [[ "$value" == ":files" ]]; then
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -f -- "$cur")
      return
    fi
    COMPREPLY+=("\${value#"$stem"}")
  done < <("\${words[0]}" __complete -- "\${words[@]:1}" 2>/dev/null)
}
complete -F _streams streams
`,
  zsh: `#compdef streams
_streams() {
  local -a lines described
  local line
  lines=("\${(@f)$(\${words[1]} __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ "\${lines[1]}" == ":files" ]]; then
    _files
    return
  fi
  for line in $lines; do
    [[ -n "$line" ]] && described+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done
  _describe 'streams' described
}
if [ "$funcstack[1]" = "_streams" ]; then _streams "$@"; else compdef _streams streams; fi
`,
  fish: `function __streams_complete
  set -l words (commandline -opc)
  set -l found (streams __complete -- $words[2..-1] (commandline -ct) 2>/dev/null)
  if test "$found[1]" = ":files"
    __fish_complete_path (commandline -ct)
  else
    printf '%s\\n' $found
  end
end
complete -c streams -f -a '(__streams_complete)'
`,
};

export function printScript(shell: Shell): Run<CommandSpec> {
  return async ({ output }) => output.plain(scripts[shell]);
}
