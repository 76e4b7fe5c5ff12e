/**
 * Runs the command, which follows as arguments, once for each line that it reads, and then prints that line, the exit
 * status, the processor time of the shell and of all commands so far (`times`), and the line again. It ends with its input,
 * and so with the agent. A shell that stays costs an instance 1 MB; a unit for each probe would cost 80 ms of processor.
 */
const script =
  'while read -r n; do "$@" 2>&1 </dev/null; c=$?; printf "\\n%s %s\\n" "$n" "$c"; times; printf "%s\\n" "$n"; done'

/** `command` is resolved: a shell would take `test` or `exit` for its own. */
export const repeatedArgv = (command: readonly string[]): string[] => [
  '/bin/sh',
  '-c',
  script,
  'tandem-probe',
  ...command,
]
