const controls = /\p{Cc}/gu

/** One word of ExecStart= and the like, so that the program gets exactly `text` (systemd.syntax(7), "Quoting"). */
export function quoteWord(text: string): string {
  if (text.includes('\0')) throw new Error('a NUL byte cannot be an argument')
  const escaped = text
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    .replaceAll('%', '%%') // a specifier otherwise
    .replaceAll(controls, escapeControl)
  return `"${escaped}"`
}

/** By the bytes of its UTF-8: \x is a byte to systemd. */
function escapeControl(char: string): string {
  return [...Buffer.from(char)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')
}

/** Words that need no quotes are given as they are, so that a person can read the line. */
export function quoteIfNeeded(text: string): string {
  return /^[A-Za-z0-9_./:=@,+-]+$/.test(text) ? text : quoteWord(text)
}

const nameShape = /^[A-Za-z_][A-Za-z0-9_]*$/

/** An EnvironmentFile= that yields exactly `env`, in order of names. Inside double quotes only four characters are special. */
export function environmentFile(env: Record<string, string>): string {
  const lines = Object.keys(env)
    .toSorted()
    .map((name) => {
      if (!nameShape.test(name)) throw new Error(`"${name}" cannot name a variable of the environment`)
      const value = env[name] ?? ''
      if (value.includes('\0')) throw new Error(`the value of ${name} holds a NUL byte`)
      return `${name}="${value.replaceAll(/[\\"`$]/g, '\\$&')}"\n`
    })
  return lines.join('')
}
