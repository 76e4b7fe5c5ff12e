import { randomId } from '../../../lib/ids.ts'
import type { InstanceSpec } from '../supervisor.ts'

/**
 * The agent spawns a gate in place of the program. The gate already has the pid, working directory and output of the
 * program, waits for one line on its standard input, and then becomes the program. Until then the agent writes the
 * record and moves the gate into its control groups. If the agent dies first, the line never comes and the gate ends:
 * no program ever runs without a record.
 */
export interface Gate {
  file: string
  args: string[]
  env: Record<string, string>
  /** The line that opens the gate. */
  line: string
  /** Part of the command line of the gate until the program executes. */
  token: string
}

/** After the line, the shell removes its own variables; `env` removes those that a shell sets at the last moment. */
const shellGate =
  'read -r go && [ "$go" = go ] || exit 125; unset PWD OLDPWD; exec /usr/bin/env -u _ -u SHLVL -u "$0" -- "$@"'
/**
 * For a program without standard input. An attached program reads the input that follows the line: the shell reads no
 * byte beyond the line.
 */
const withoutInput = ' </dev/null'

const nodeGate = [
  `const fs = require('node:fs')`,
  `let text = ''`,
  `const block = Buffer.alloc(65536)`,
  `while (!text.endsWith('\\n')) {`,
  `  const read = fs.readSync(0, block)`,
  `  if (read === 0) process.exit(125)`,
  `  text += block.latin1Slice(0, read)`,
  `}`,
  `const { file, argv, env, attached } = JSON.parse(Buffer.from(text, 'latin1').toString())`,
  `if (!attached) {`,
  `  fs.closeSync(0)`,
  `  fs.openSync('/dev/null')`,
  `}`,
  `process.execve(file, argv, env)`,
].join('\n')

/**
 * The shell (2 ms) for environments that pass through every shell unchanged; Node (35 ms) for names that a shell would
 * drop (`discovery.type`) or set itself (`PWD`). Neither parses the argv of the program, nor shows its environment in
 * `ps`.
 */
export function chooseGate(
  file: string,
  { argv, env, attached = false }: Pick<InstanceSpec, 'argv' | 'env' | 'attached'>,
): Gate {
  const token = `tandem-gate-${randomId()}`
  if (file.includes('=') || !Object.keys(env).every(passesShells)) {
    const line = `${JSON.stringify({ file, argv, env, attached })}\n`
    const args = ['--disable-warning=ExperimentalWarning', '-e', nodeGate, token]
    return { file: process.execPath, args, env: {}, line, token }
  }
  const gate = shellGate + (attached ? '' : withoutInput)
  return { file: '/bin/sh', args: ['-c', gate, token, file, ...argv.slice(1)], env, line: 'go\n', token }
}

const setByShells =
  /^(_|PWD|OLDPWD|PPID|UID|EUID|GROUPS|DIRSTACK|IFS|OPT.*|PS\d|LINENO|SHLVL|SHELLOPTS|BASH.*|POSIX.*|ENV|MAIL.*|RANDOM|SECONDS|PIPESTATUS|FUNCNAME|HOST(NAME|TYPE)|MACHTYPE|OSTYPE|HIST.*|FC.*|go)$/

function passesShells(name: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !setByShells.test(name)
}

/**
 * Returns the error message of a gate that could not become the program, or `null` if the lines are from the program.
 */
export function gateComplaint(gate: Gate, firstLines: string[]): string | null {
  for (const line of firstLines) {
    const match = /^(?:(?:\/usr\/bin\/)?env: |process\.execve failed with error code )(.*)$/.exec(line)
    if (match !== null) return match[1] ?? ''
    if (line.startsWith(`${gate.token}: `)) return line.slice(gate.token.length + 2)
  }
  return null
}
