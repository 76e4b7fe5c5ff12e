import { refuseEnvironmentName } from './names.ts'
import { OperatorError } from '../lib/operatorError.ts'

/**
 * Reads the text of a `SERVICE.env` file: `NAME=value` lines. Ignores blank lines and `#` comments, and removes one pair
 * of quotes around a value. Throws `E_DEFINITION` with the line, and shows no value.
 */
export function readVariables(text: string, path: string, service: string): Record<string, string> {
  const variables: Record<string, string> = {}
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim()
    if (line === '' || line.startsWith('#')) continue
    const [, name, value] = /^([A-Za-z_][A-Za-z0-9_]*)=(.*)$/.exec(line) ?? []
    if (name === undefined || value === undefined) throw badVariables(service, `${path}:${index + 1} is not NAME=value`)
    const refused = refuseEnvironmentName(name)
    if (refused) throw badVariables(service, `${path}:${index + 1}: ${refused}`)
    // Node would reject the value too, and would show it in its error message.
    if (value.includes('\0')) throw badVariables(service, `${path}:${index + 1} holds a NUL byte`)
    variables[name] = /^(["']).*\1$/.test(value) ? value.slice(1, -1) : value
  }
  return variables
}

export function badVariables(service: string, message: string): OperatorError {
  return new OperatorError('E_DEFINITION', message, {
    subject: service,
    next: 'fix that line (its value is not shown here)',
  })
}
