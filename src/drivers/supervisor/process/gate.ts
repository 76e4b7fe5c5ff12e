import { randomId } from '../../../lib/ids.ts'
import type { InstanceSpec } from '../supervisor.ts'

/**
 * A gate is what is spawned in place of the program: it has the program's pid, working directory and output already,
 * waits for one line on its standard input, and then becomes the program. Until then the agent writes the record and
 * moves it into its control groups. When the agent dies first, the line never comes and the gate ends: no program ever
 * runs that no record tells of.
 */
export interface Gate {
  file: string
  args: string[]
  env: Record<string, string>
  /** What opens it. */
  line: string
  /** Stands in its command line until the program executes. */
  token: string
}

/** Opened, it has no more of the shell's own variables; `env` removes those that a shell sets at the last moment. */
const shellGate =
  'read -r go && [ "$go" = go ] || exit 125; unset PWD OLDPWD; exec /usr/bin/env -u _ -u SHLVL -u "$0" -- "$@"'
/** For a program without input of its own. An attached one goes on with what follows the line: a shell reads not a byte more. */
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
 * drop (`discovery.type`) or set itself (`PWD`). Neither parses the program's argv, nor shows its environment in `ps`.
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

/** Whether these were the last words of a gate that could not become the program, and what they say. */
export function gateComplaint(gate: Gate, firstLines: string[]): string | null {
  for (const line of firstLines) {
    const match = /^(?:(?:\/usr\/bin\/)?env: |process\.execve failed with error code )(.*)$/.exec(line)
    if (match !== null) return match[1] ?? ''
    if (line.startsWith(`${gate.token}: `)) return line.slice(gate.token.length + 2)
  }
  return null
}
