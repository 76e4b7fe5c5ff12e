/**
 * Allowed names of services, machines and clusters: they become part of host names, folders and unit names. Not
 * `constructor`: every JavaScript object seems to have a property of that name.
 */
export const namePattern = /^(?!constructor$)[a-z][a-z0-9-]{0,39}$/
export const nameRule = 'a name: a to z, 0 to 9 and dashes, starting with a letter, at most 40 characters'

/** Services have the name `SERVICE.tandem.internal` on machines: ICANN reserves `.internal` for private use. */
export const nameEnd = '.tandem.internal'

/** Number of digits shown of a release id. */
const shownIdLength = 12

export const shortId = (id: string): string => id.slice(0, shownIdLength)

/** The service in the id of an instance, `SERVICE-ROLLOUT-MACHINE-NUMBER`; `null`: the id has another form. */
export function serviceOfInstance(instance: string, machine: string): string | null {
  const match = /^(.+)-(\d+)$/.exec(instance)
  const end = `-${machine}`
  if (!match?.[1]?.endsWith(end)) return null
  const rolled = match[1].slice(0, -end.length)
  const at = rolled.lastIndexOf('-')
  return at < 1 ? null : rolled.slice(0, at)
}

/** The instance id of a rollout's `prepare`: its output is in the logs under this id. */
export const prepareInstance = (service: string, rollout: string): string => `${service}-${rollout}-prepare`

/** The instance id of the check of a filled-in file. */
export const checkInstance = (service: string, rollout: string, index: number): string =>
  `${service}-${rollout}-${index}-check`

export const environmentNamePattern = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/

/** Variables that Tandem sets for every instance; a definition must not set them. */
export const tandemNames: readonly string[] = [
  'PORT',
  'HOST',
  'TANDEM_SERVICE',
  'TANDEM_RELEASE',
  'TANDEM_INSTANCE',
  'TANDEM_MACHINE',
  'TANDEM_DATA',
]

/** Variables taken from the agent's environment; a definition may override them. */
export const inheritedNames: readonly string[] = ['PATH', 'HOME', 'LANG', 'TZ']

/** The problem with an environment variable's name, or `null`. */
export function refuseEnvironmentName(name: string): string | null {
  const shown = name.length > 60 ? `${name.slice(0, 60)}…` : name
  if (name === '__proto__') return `\`${name}\` is not a name that can be set`
  if (!environmentNamePattern.test(name)) {
    return `\`${shown}\` is not a name for an environment variable (letters, digits and _, not starting with a digit)`
  }
  if (name === 'PORT' || name === 'HOST')
    return `\`${name}\` is set by Tandem for every instance; it cannot be set here`
  if (name.startsWith('TANDEM_')) return `\`${shown}\`: names that start with TANDEM_ are set by Tandem`
  return null
}

/** The problem with a service's, machine's or cluster's name, or `null`. */
export function refuseName(name: string): string | null {
  const shown = name.length > 60 ? `${name.slice(0, 60)}…` : name
  if (name === 'constructor') return `\`${name}\` is a reserved name; choose another`
  return namePattern.test(name) ? null : `\`${shown}\` is not ${nameRule}`
}
