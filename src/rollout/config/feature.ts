import type { Definition } from '../../definitions/definition.ts'
import { problemWith, settled } from '../../definitions/config/settings.ts'
import { refuse, type Refusal } from '../../decision/refuse.ts'
import { refuseInability } from '../../fleet/abilities.ts'
import { newestConfig, type ConfigVersion } from '../../config/state.ts'
import { configAbility } from '../../protocol/config.ts'
import type { RolloutFeature } from '../rolloutFeature.ts'
import type { Pins, Service, State } from '../state.ts'

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
    const isBack = kind === 'rollback' && state.services[service]?.changedConfigOnly
    return [
      ...(isBack
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
}

/** The newest configuration, but not one with which a rollout of the service was reverted. */
function chosen(state: State, name: string): { version: ConfigVersion | null; rejected?: number } {
  const newest = newestConfig(state, name)
  const service = state.services[name]
  if (newest === null || service?.rejectedConfig !== newest.version) return { version: newest }
  const before = state.generations[service.current?.generation ?? '']?.config
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

/** The service after a rollout that was reverted: a configuration that only this rollout had is rejected. */
export function withRejectedConfig(
  { generations, configs }: Pick<State, 'generations' | 'configs'>,
  { name, current }: Service,
  rollout: string,
): Pick<Service, 'rejectedConfig'> {
  if (current === null) return {}
  const [before, tried] = [generations[current.generation]?.config, generations[rollout]?.config]
  if (!before || !tried || tried.version === null || before.version === tried.version) return {}
  if (newestConfig({ configs }, name)?.version !== tried.version) return {}
  return { rejectedConfig: tried.version }
}
