import { mkdirSync } from 'node:fs'
import type { Definition } from '../../definitions/definition.ts'
import { expand, type Expanded } from '../../definitions/expand.ts'
import { readSecrets } from './serviceSecrets.ts'

interface About {
  definition: Definition
  release: string
  instance: string
  machine: string
  /** `null` for a program that listens on no port. */
  port: number | null
  dataFolder: string
  /** True if the supervisor makes the data folder, with the right owner, when it starts the instance. */
  isDataMadeLater?: boolean
  /** Variables that features add; an empty one may stand in placeholders, but is not set. */
  added: Record<string, string>
  /** The settings of the service. */
  settings?: Record<string, string>
  /** Folder of the `SERVICE.env` files with secrets; `null` if the supervisor adds the secrets. */
  secretsFolder: string | null
}

/** Variables that an instance inherits from the agent's environment; it gets no others. */
const inherited = ['PATH', 'HOME', 'LANG', 'TZ'] as const

/**
 * Arguments and environment that an instance is started with, exactly as the contract defines them. Secrets come last.
 */
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
  Object.assign(builtins, about.added, about.settings)
  const { env, ...words } = expand(definition, builtins)
  const secrets = about.secretsFolder === null ? {} : readSecrets(about.secretsFolder, definition.service)
  for (const [name, value] of Object.entries(about.added)) if (value === '') delete env[name]
  return { ...words, env: { ...env, ...secrets } }
}
