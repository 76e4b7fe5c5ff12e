import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { refuseEnvironmentName } from '../../definitions/names.ts'
import { OperatorError } from '../../lib/operatorError.ts'

/** Reads `NAME=value` lines. Ignores blank lines and `#` comments, and removes one pair of quotes around a value. */
export function readSecrets(folder: string, service: string): Record<string, string> {
  const path = join(folder, `${service}.env`)
  if (!existsSync(path)) return {}
  const { mode, size } = statSync(path)
  if ((mode & 0o077) !== 0) {
    throw new OperatorError('E_SECRETS_MODE', `${path} can be read by others`, {
      subject: service,
      next: `chmod 600 ${path}`,
    })
  }
  if (size > maxSecretsBytes) throw badSecrets(service, `${path} is larger than ${maxSecretsBytes} bytes`)
  const secrets: Record<string, string> = {}
  for (const [index, raw] of readFileSync(path, 'utf8').split('\n').entries()) {
    const line = raw.trim()
    if (line === '' || line.startsWith('#')) continue
    const [, name, value] = /^([A-Za-z_][A-Za-z0-9_]*)=(.*)$/.exec(line) ?? []
    if (name === undefined || value === undefined) throw badSecrets(service, `${path}:${index + 1} is not NAME=value`)
    const refused = refuseEnvironmentName(name)
    if (refused) throw badSecrets(service, `${path}:${index + 1}: ${refused}`)
    // Node would reject the value too, and would show it in its error message.
    if (value.includes('\0')) throw badSecrets(service, `${path}:${index + 1} holds a NUL byte`)
    secrets[name] = /^(["']).*\1$/.test(value) ? value.slice(1, -1) : value
  }
  return secrets
}

/** Far more than the kernel accepts as an environment. */
const maxSecretsBytes = 1024 * 1024

function badSecrets(service: string, message: string): OperatorError {
  return new OperatorError('E_DEFINITION', message, {
    subject: service,
    next: 'fix that line (its value is not shown here)',
  })
}
