import type { Definition } from '../definitions/definition.ts'
import { longestSetting, mostSettings, problemWith, type Setting } from '../definitions/config/settings.ts'
import { nearest } from '../definitions/suggest.ts'
import { noSuchService } from '../decision/knownServices.ts'
import { accepted, refuse, type Decision, type Refusal } from '../decision/refuse.ts'
import { roomOf } from '../decision/room.ts'
import type { ConfigEvents } from '../events/configEvents.ts'
import { newestRelease } from '../fleet/serving.ts'
import { without } from '../lib/records.ts'
import { configLinks } from './links.ts'
import { newestConfig, type ConfigState, type ConfigWorld } from './state.ts'
import { configWords } from './words.ts'

/** Older versions with which no instance runs go when there are more. */
export const mostConfigs = 100

interface ChangeConfig {
  type: 'ChangeConfig'
  service: string
  set: Record<string, string>
  /** Names that get their default again. */
  unset: string[]
  reason: string | null
  /** The version that must be the newest; 0: there must be none. `null`: whichever. */
  cas: number | null
}

interface RollbackConfig {
  type: 'RollbackConfig'
  service: string
  /** `null`: the one before the newest. */
  version: number | null
  reason: string | null
}

export type ConfigCommand = ChangeConfig | RollbackConfig

/** The settings of services, in numbered versions. A rollout brings them to instances. */
export const config = roomOf<ConfigWorld, ConfigState, ConfigEvents, ConfigCommand>()({
  name: 'config',
  words: configWords,
  links: configLinks,
  initial: { configs: {} },
  folds: {
    ConfigChanged: ({ configs, generations }, { data, by = null }, { at }) => {
      const { service, version, values, reason, of } = data
      const all = [...(configs[service] ?? []), { version, values, at, by, reason, of }]
      const used = Object.values(generations).flatMap((one) =>
        one.service === service ? [one.pins?.config?.version] : [],
      )
      const kept = all.filter((one, index) => index >= all.length - mostConfigs || used.includes(one.version))
      return { configs: { ...configs, [service]: kept } }
    },
    ServiceRemoved: ({ configs }, { data }) => (data.data ? { configs: without(configs, data.service) } : {}),
  },
  commands: { ChangeConfig: changeConfig, RollbackConfig: rollbackConfig },
  desire: () => ({}),
})

function changeConfig(world: ConfigWorld, command: ChangeConfig): Decision {
  const { service, set, unset, reason, cas } = command
  const newest = newestConfig(world, service)
  if (cas !== null && cas !== (newest?.version ?? 0)) return changedMeanwhile(service, cas, newest?.version ?? 0)
  const known = definitionsOf(world, service)
  if (known.length === 0) return noSuchService(world, service)
  for (const [name, value] of Object.entries(set)) {
    const refusal = refuseValue(service, name, value, known)
    if (refusal) return refusal
  }
  const before = newest?.values ?? {}
  const strange = unset.find((name) => !Object.hasOwn(before, name))
  if (strange !== undefined) return notSet(service, strange, Object.keys(before))
  const values = { ...Object.fromEntries(Object.entries(before).filter(([name]) => !unset.includes(name))), ...set }
  if (Object.keys(values).length > mostSettings) return tooMany(service)
  return changed(world, service, values, reason, null)
}

function rollbackConfig(world: ConfigWorld, { service, version, reason }: RollbackConfig): Decision {
  const all = (Object.hasOwn(world.configs, service) ? world.configs[service] : undefined) ?? []
  const found = version === null ? all.at(-2) : all.find((one) => one.version === version)
  if (!found) return noSuchVersion(service, version, all)
  const known = definitionsOf(world, service)
  for (const [name, value] of Object.entries(found.values)) {
    const refusal = refuseValue(service, name, value, known)
    if (refusal) return refusal
  }
  return changed(world, service, found.values, reason, found.version)
}

function changed(
  world: ConfigWorld,
  service: string,
  values: Record<string, string>,
  reason: string | null,
  of: number | null,
): Decision {
  const newest = newestConfig(world, service)
  // A version with which a rollout was reverted is passed over; something else may have failed.
  const isRejected = newest !== null && world.services[service]?.rejected?.config === newest.version
  if (areEqual(newest?.values ?? {}, values) && !isRejected) return { type: 'nothing' }
  const version = (newest?.version ?? 0) + 1
  return accepted({ type: 'ConfigChanged', data: { service, version, values, reason, of } })
}

/** Of the release that runs and of the newest one: a value may be set before the push that needs it, and after. */
function definitionsOf({ services, releases }: ConfigWorld, service: string): Definition[] {
  const current = services[service]?.current?.release
  const newest = newestRelease({ releases }, service)
  const all = [current === undefined ? undefined : releases[current], newest]
  return [...new Set(all.flatMap((release) => release?.definition ?? []))]
}

function refuseValue(service: string, name: string, value: string, known: readonly Definition[]): Refusal | null {
  const settings = known.flatMap(({ config: one = {} }): Setting[] =>
    Object.hasOwn(one, name) ? [one[name] ?? {}] : [],
  )
  if (settings.length === 0) return noSuchSetting(service, name, known)
  if (value.length > longestSetting) return wrongValue(service, `${name} has more than ${longestSetting} characters`)
  const wrong = settings.map((setting) => problemWith(setting, value)).find((one) => one !== null)
  return wrong === undefined ? null : wrongValue(service, `${name} ${wrong}`)
}

function areEqual(one: Record<string, string>, other: Record<string, string>): boolean {
  const names = Object.keys(one)
  return names.length === Object.keys(other).length && names.every((name) => one[name] === other[name])
}

function noSuchSetting(service: string, name: string, known: readonly Definition[]): Refusal {
  const names = [...new Set(known.flatMap(({ config: one = {} }) => Object.keys(one)))].sort()
  const near = nearest(name, names)
  const next =
    names.length === 0
      ? `write it under \`config\` in the tandem.yaml of ${service}, and push`
      : near === null
        ? `its settings: ${names.join(', ')}`
        : `did you mean ${near}? its settings: ${names.join(', ')}`
  return refuse('E_NO_SUCH_SETTING', `${service} has no setting ${name}`, service, next)
}

const notSet = (service: string, name: string, names: readonly string[]): Refusal =>
  refuse('E_NO_SUCH_SETTING', `${name} of ${service} is not set`, service, `set: ${names.join(', ') || 'none'}`)

const wrongValue = (service: string, message: string): Refusal =>
  refuse('E_CONFIG', message, service, `tandem config show ${service}`)

const tooMany = (service: string): Refusal =>
  refuse('E_CONFIG', `${service} has more than ${mostSettings} settings`, service, `tandem config show ${service}`)

const noSuchVersion = (service: string, version: number | null, all: readonly { version: number }[]): Refusal =>
  refuse(
    'E_NO_SUCH_SETTING',
    version === null ? `${service} has no earlier configuration` : `${service} has no configuration ${version}`,
    service,
    all.length === 0 ? `tandem config set ${service} NAME=VALUE   makes the first` : `tandem config history ${service}`,
  )

const changedMeanwhile = (service: string, expected: number, current: number): Refusal =>
  refuse(
    'E_CONFIG_CHANGED',
    expected === 0
      ? `${service} has a configuration already, in version ${current}`
      : `the configuration of ${service} is in version ${current}, not ${expected}`,
    service,
    `tandem config history ${service}   shows who changed it; then give --cas ${current}`,
  )
