import { OperatorError } from '../lib/operatorError.ts'
import type { Definition } from './definition.ts'
import { inheritedNames, tandemNames } from './names.ts'
import { replacePlaceholders } from './placeholders.ts'

/**
 * The most bytes of one word of a command, and of one variable with its name and `=`, with which Linux starts a
 * program: its MAX_ARG_STRLEN less the NUL. Values double with each level (`A: ${B}${B}`); the limit stops that too.
 */
export const longestString = 128 * 1024 - 1

export interface Expanded {
  /** The instance's argv. */
  argv: string[]
  prepare: string[] | null
  /** The command of `health`; `null`: probes ask the port. */
  healthCommand: string[] | null
  /** The whole environment: the builtins, overridden by the definition's `env`. */
  env: Record<string, string>
}

/**
 * Replaces `${NAME}` in `run`, `prepare`, `health.command` and `env` when an instance starts. `builtins` are the variables that Tandem
 * sets (`PORT`, `TANDEM_DATA`, …) and those taken from the agent (`PATH`, …); a missing builtin (a worker's `PORT`) is
 * empty. The definition must be the cluster's own (`forCluster`). Throws `E_DEFINITION` for a name that nothing sets.
 */
export function expand(definition: Definition, builtins: Readonly<Record<string, string>>): Expanded {
  const env = expandEnv(definition, builtins)
  const argv = expandArgv(definition.run, env)
  const others = (words: string[] | null): string[] | null => (words === null ? null : expandArgv(words, env))
  return { argv, prepare: others(definition.prepare), healthCommand: others(definition.health.command ?? null), env }
}

/** Replaces `${NAME}` in each word with the value in `env`, the whole environment. A value is never split again. */
export function expandArgv(argv: readonly string[], env: Readonly<Record<string, string>>): string[] {
  return argv.map((word) => replaceBounded(word, longestString, 'a word of a command', (name) => lookUp(name, env)))
}

/**
 * The builtins, overridden by the definition's `env`, whose values are replaced in the order in which they need each
 * other.
 */
export function expandEnv(
  definition: Pick<Definition, 'env'>,
  builtins: Readonly<Record<string, string>>,
): Record<string, string> {
  const { env } = definition
  const done: Record<string, string> = { ...builtins }
  const settled = new Set<string>()
  const settle = (name: string, path: readonly string[]): void => {
    settled.add(name)
    const room = longestString - name.length - 1
    done[name] = replaceBounded(env[name] ?? '', room, `the environment variable ${name}`, (wanted) => {
      // `PATH: bin:${PATH}` means the inherited PATH.
      if (wanted === name && isBuiltin(wanted)) return builtinValue(wanted, builtins)
      if (!Object.hasOwn(env, wanted)) return lookUp(wanted, builtins)
      if (path.includes(wanted)) throw cycle([...path.slice(path.indexOf(wanted)), wanted])
      if (!settled.has(wanted)) settle(wanted, [...path, wanted])
      return done[wanted] ?? ''
    })
  }
  for (const name of Object.keys(env)) if (!settled.has(name)) settle(name, [name])
  return done
}

const isBuiltin = (name: string): boolean => tandemNames.includes(name) || inheritedNames.includes(name)

const builtinValue = (name: string, builtins: Readonly<Record<string, string>>): string =>
  Object.hasOwn(builtins, name) ? (builtins[name] ?? '') : ''

function lookUp(name: string, values: Readonly<Record<string, string>>): string {
  if (Object.hasOwn(values, name) || isBuiltin(name)) return builtinValue(name, values)
  throw new OperatorError('E_DEFINITION', `\${${name}} is not set in this cluster`, {
    subject: name,
    next: 'Give it a value under `env`, for every cluster that runs the service.',
  })
}

/** The size is counted while the text grows, because the whole text might not fit into memory. */
function replaceBounded(text: string, most: number, what: string, value: (name: string) => string): string {
  let bytes = 0
  const whole = replacePlaceholders(text, (name) => {
    const replacement = value(name)
    bytes += Buffer.byteLength(replacement)
    if (bytes <= most) return replacement
    throw tooLong(what, most)
  })
  if (Buffer.byteLength(whole) > most) throw tooLong(what, most)
  return whole
}

const tooLong = (what: string, most: number): OperatorError =>
  new OperatorError('E_DEFINITION', `${what} grows beyond ${most} bytes when names are replaced`, {
    next: 'put it into a file of the release, and pass the file name',
  })

function cycle(path: readonly string[]): OperatorError {
  return new OperatorError('E_DEFINITION', `environment variables need each other in a circle: ${path.join(' -> ')}`, {
    next: 'Give one of these variables a value that needs none of the others.',
  })
}
