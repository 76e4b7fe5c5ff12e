import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { badVariables, readVariables } from '../../definitions/variablesFile.ts'
import { OperatorError } from '../../lib/operatorError.ts'

/** The variables in the file of a service; none if there is no file. */
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
  if (size > maxSecretsBytes) throw badVariables(service, `${path} is larger than ${maxSecretsBytes} bytes`)
  return readVariables(readFileSync(path, 'utf8'), path, service)
}

/** Far more than the kernel accepts as an environment. */
const maxSecretsBytes = 1024 * 1024
