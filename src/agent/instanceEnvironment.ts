import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Definition } from '../definitions/definition.ts'
import { expand } from '../definitions/expand.ts'
import { refuseEnvironmentName } from '../definitions/names.ts'
import { OperatorError } from '../lib/operatorError.ts'

interface About {
  definition: Definition
  release: string
  instance: string
  machine: string
  /** `null` for what listens on nothing. */
  port: number | null
  dataFolder: string
  /** The supervisor makes the data folder, with the right owner, when it starts the instance. */
  isDataMadeLater?: boolean
  /** Where `SERVICE.env` files with secrets are. */
  secretsFolder: string
}

interface Expanded {
  argv: string[]
  prepare: string[] | null
  env: Record<string, string>
}

/** Of the agent's own environment, an instance sees these and nothing else. */
const inherited = ['PATH', 'HOME', 'LANG', 'TZ'] as const

/** What an instance is started with: argv and environment exactly as the contract says, secrets added last. */
export function instanceEnvironment(about: About, agentEnv: NodeJS.ProcessEnv): Expanded {
  const { definition, release, instance, machine, port, dataFolder } = about
  if (!about.isDataMadeLater) mkdirSync(dataFolder, { recursive: true, mode: 0o700 })
  const builtins: Record<string, string> = {
    HOST: '127.0.0.1',
    TANDEM_SERVICE: definition.service,
    TANDEM_RELEASE: release,
    TANDEM_INSTANCE: instance,
    TANDEM_MACHINE: machine,
    TANDEM_DATA: dataFolder,
    ...(port === null ? {} : { PORT: String(port) }),
  }
  for (const name of inherited) if (agentEnv[name] !== undefined) builtins[name] = agentEnv[name]
  const { argv, prepare, env } = expand(definition, builtins)
  return { argv, prepare, env: { ...env, ...readSecrets(about.secretsFolder, definition.service) } }
}

/** `NAME=value` lines; blank lines and `#` comments are passed over; one pair of quotes around a value is taken off. */
function readSecrets(folder: string, service: string): Record<string, string> {
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
    // Node would refuse it too, and show it.
    if (value.includes('\0')) throw badSecrets(service, `${path}:${index + 1} holds a NUL byte`)
    secrets[name] = /^(["']).*\1$/.test(value) ? value.slice(1, -1) : value
  }
  return secrets
}

/** What the kernel takes as an environment is far smaller. */
const maxSecretsBytes = 1024 * 1024

function badSecrets(service: string, message: string): OperatorError {
  return new OperatorError('E_DEFINITION', message, {
    subject: service,
    next: 'mend that line; its value is not shown',
  })
}
