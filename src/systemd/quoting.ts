import { OperatorError } from '../lib/operatorError.ts'

const controls = /\p{Cc}/gu

/**
 * Quotes one word of ExecStart= and similar settings, so that the program gets exactly `text` (systemd.syntax(7),
 * "Quoting").
 */
export function quoteWord(text: string): string {
  if (text.includes('\0')) throw new Error('a NUL byte cannot be an argument')
  const escaped = text
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    .replaceAll('%', '%%') // a single % would begin a specifier
    .replaceAll(controls, escapeControl)
  return `"${escaped}"`
}

/** Escapes each byte of the UTF-8 form: \x is a byte to systemd. */
function escapeControl(char: string): string {
  return [...Buffer.from(char)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')
}

/** Leaves words unquoted that need no quotes, so that the line is easy to read. */
export function quoteIfNeeded(text: string): string {
  return /^[A-Za-z0-9_./:=@,+-]+$/.test(text) ? text : quoteWord(text)
}

/**
 * A command line of Tandem itself, without quotes. Refuses words that would need some: the program must be in a path of
 * letters and digits.
 */
export function unitWords(argv: readonly string[]): string {
  const bad = argv.find((word) => !/^[\w@%+=:,./-]+$/.test(word))
  if (bad !== undefined)
    throw new OperatorError('E_USAGE', `"${bad}" is not allowed in a unit file`, {
      subject: bad,
      next: 'use a path of letters, digits, dots, dashes and slashes',
    })
  return argv.join(' ').replaceAll('%', '%%')
}

const nameShape = /^[A-Za-z_][A-Za-z0-9_]*$/

/**
 * An EnvironmentFile= that yields exactly `env`, in order of names. Only four characters are special inside double
 * quotes.
 */
export function environmentFile(env: Record<string, string>): string {
  const lines = Object.keys(env)
    .toSorted()
    .map((name) => {
      if (!nameShape.test(name)) throw new Error(`"${name}" is not a valid name for an environment variable`)
      const value = env[name] ?? ''
      if (value.includes('\0')) throw new Error(`the value of ${name} holds a NUL byte`)
      return `${name}="${value.replaceAll(/[\\"`$]/g, '\\$&')}"\n`
    })
  return lines.join('')
}
