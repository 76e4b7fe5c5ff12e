import type { Definition } from '../../definitions/definition.ts'
import { problemWith, settled } from '../../definitions/config/settings.ts'
import { refuse, type Refusal } from '../../decision/refuse.ts'
import { refuseInability } from '../../fleet/abilities.ts'
import type { Pins } from '../../events/rolloutEvents.ts'
import { newestConfig, type ConfigState, type ConfigVersion } from '../../config/state.ts'
import { configAbility } from '../../protocol/config.ts'
import type { RolloutFeature } from '../rolloutFeature.ts'
import type { Rejected } from '../featureState.ts'
import type { Service, State } from '../state.ts'
import { configsOn } from './desired.ts'

/** The settings of a release. */
export const config: RolloutFeature = {
  refuse: (state, { definition, observed, former }) =>
    definition?.config === undefined
      ? null
      : (refuseInability(state, observed, configAbility, definition.service) ??
        refuseValues(state, definition, former)),
  warnings: (state, { service, kind, release }) => {
    const definition = state.releases[release]?.definition
    if (kind === 'stop' || kind === 'remove' || !definition?.config) return []
    const { version, rejected } = chosen(state, service)
    const unknown = Object.keys(version?.values ?? {}).filter((name) => !Object.hasOwn(definition.config ?? {}, name))
    return [
      ...(kind === 'rollback' && changedConfigOnly(state, service)
        ? [`the last rollout of ${service} changed only its configuration: tandem config rollback ${service} --roll`]
        : []),
      ...(rejected === undefined
        ? []
        : [`${service} gets configuration ${version?.version}: a rollout with ${rejected} was reverted`]),
      ...unknown.map((name) => `this release of ${service} has no setting ${name}, which is set`),
    ]
  },
  pins: (state, definition, former) => {
    if (definition.config === undefined) return {}
    const { version, values } = valuesFor(state, definition.service, former)
    return { config: { version, values: settled(definition.config, values) } }
  },
  rejections: rejectedConfig,
  heldPins: ({ config: held }) =>
    Object.fromEntries(Object.entries(held).map(([generation, one]) => [generation, { config: one }])),
  desire: (state, machine) => ({ config: configsOn(state, machine) }),
}

/** The newest configuration, but not one with which a rollout of the service was reverted. */
function chosen(state: State, name: string): { version: ConfigVersion | null; rejected?: number } {
  const newest = newestConfig(state, name)
  const service = state.services[name]
  if (newest === null || service?.rejected?.config !== newest.version) return { version: newest }
  const before = state.generations[service.current?.generation ?? '']?.pins?.config
  if (before === undefined) return { version: newest }
  const good = (state.configs[name] ?? []).find(({ version }) => version === before.version) ?? null
  return { version: good, rejected: newest.version }
}

/** The configuration of an earlier time, or that of today. */
function valuesFor(state: State, service: string, { config: former }: Pins): NonNullable<Pins['config']> {
  if (former) return former
  const { version } = chosen(state, service)
  return { version: version?.version ?? null, values: version?.values ?? {} }
}

function refuseValues(state: State, { service, config: settings = {} }: Definition, former: Pins): Refusal | null {
  const { values: set } = valuesFor(state, service, former)
  const missing = Object.entries(settings).filter(([name, { required }]) => required && !Object.hasOwn(set, name))
  if (missing.length > 0) {
    const names = missing.map(([name]) => name)
    const next = `tandem config set ${service} ${names.map((name) => `${name}=VALUE`).join(' ')}`
    return refuse('E_CONFIG', `${service} needs a value of ${names.join(', ')}`, service, next)
  }
  for (const [name, setting] of Object.entries(settings)) {
    const wrong = Object.hasOwn(set, name) ? problemWith(setting, set[name] ?? '') : null
    if (wrong !== null)
      return refuse('E_CONFIG', `${name} ${wrong}`, service, `tandem config set ${service} ${name}=VALUE`)
  }
  return null
}

/** Whether the last rollout that completed had the release and the secrets of the one before. */
function changedConfigOnly({ services, generations }: State, name: string): boolean {
  const { current, former } = services[name] ?? {}
  const now = generations[current?.generation ?? '']?.pins
  if (!former || former.release !== current?.release) return false
  const others = (pins: Pins): string => JSON.stringify({ ...pins, config: null })
  return former.pins.config?.version !== now?.config?.version && others(former.pins) === others(now ?? {})
}

/** The newest configuration that only this rollout had. */
function rejectedConfig(state: State, { name }: Service, { before, tried }: { before: Pins; tried: Pins }): Rejected {
  const version = tried.config?.version
  if (before.config === undefined || version == null || before.config.version === version) return {}
  return newestConfig(state, name)?.version === version ? { config: version } : {}
}

declare module '../featureState.ts' {
  interface FeatureState extends ConfigState {}
  interface Rejected {
    /** The version. */
    config?: number
  }
}
