export type Shell = 'bash' | 'zsh' | 'fish'

/*
 * Each script passes the words up to the cursor to `tandem completion words` and offers the lines that it prints. Where it
 * prints none, the shell completes file names.
 */

const bash = `# Completion of tandem for bash.
_tandem() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do
    COMPREPLY+=("\${line%%$'\\t'*}")
  done < <(tandem completion words -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _tandem tandem
`

const zsh = `#compdef tandem
# Completion of tandem for zsh.
_tandem() {
  local line
  local -a candidates
  while IFS= read -r line; do
    candidates+=("\${\${line%%$'\\t'*}//:/\\\\:}\${\${(M)line:#*$'\\t'*}:+:\${line#*$'\\t'}}")
  done < <(tandem completion words -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  if (( \${#candidates} )); then _describe tandem candidates; else _files; fi
}
if [ "$funcstack[1]" = _tandem ]; then _tandem "$@"; else compdef _tandem tandem; fi
`

const fish = `# Completion of tandem for fish.
function __tandem_words
  set -l words (commandline -opc) (commandline -ct)
  tandem completion words -- $words[2..-1] 2>/dev/null
end
complete -c tandem -f -n 'test -n "$(__tandem_words)"' -a '(__tandem_words)'
complete -c tandem -F -n 'test -z "$(__tandem_words)"'
`

export const completionScripts: Record<Shell, string> = { bash, zsh, fish }
