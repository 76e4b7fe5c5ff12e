import { nearest } from '../../definitions/suggest.ts'
import type { Definition } from '../../definitions/definition.ts'
import { placeholdersIn } from '../../definitions/placeholders.ts'
import { servicesUsed, variableOf } from '../../definitions/uses/variables.ts'
import { refuse, type Refusal } from '../../decision/refuse.ts'
import { refuseInability } from '../../fleet/abilities.ts'
import { definitionOf } from '../../fleet/serving.ts'
import { namesAbility } from '../../protocol/names.ts'
import { knownServices } from '../../decision/knownServices.ts'
import { answerOf, newestGeneration, usualHttpPort } from '../localAnswers.ts'
import type { RolloutFeature } from '../rolloutFeature.ts'
import type { Generation, State } from '../state.ts'

/** The services that a release uses. */
export const uses: RolloutFeature = {
  refuse: (state, { kind, definition, observed }) =>
    definition === null || servicesUsed(definition.uses).length === 0
      ? null
      : (refuseInability(state, observed, namesAbility, definition.service) ??
        (kind === 'deploy' ? refuseUses(state, definition) : null)),
  warnings: (state, { service, kind, release }) => {
    if (kind === 'stop' || kind === 'remove') return []
    const circle = circleThrough(state, service)
    const used = servicesUsed(state.releases[release]?.definition.uses)
    const missing = used.filter((use) => answerOf(state, use) === null)
    return [
      ...(circle === null ? [] : [`a circle: ${circle.join(' uses ')}`]),
      ...missing.map((use) => `${service} uses ${use.service}, which is missing: its variables are not set`),
    ]
  },
}

/** Refuses a release that uses a service which does not exist, or which cannot be called. */
function refuseUses(state: State, { service, uses, run, prepare, env }: Definition): Refusal | null {
  for (const use of servicesUsed(uses)) {
    const generation = newestGeneration(state, use.service)
    if (generation === null) {
      if (use.optional) continue
      const near = nearest(
        use.service,
        Object.keys(state.services).filter((one) => one !== service),
      )
      const other = `or, if ${service} can do without it, write { service: ${use.service}, optional: true }`
      const next = near === null ? `deploy ${use.service} first; ${other}` : `did you mean ${near}? ${other}`
      const message = `${service} uses ${use.service}, and there is no such service`
      return refuse('E_NO_SUCH_SERVICE', message, use.service, `${next}   (${knownServices(state)})`)
    }
    const definition = definitionOf(state, generation.release)
    if (definition.listen === 'none') {
      const message = `${service} uses ${use.service}, which accepts no connections (\`listen: none\`)`
      return refuse('E_USES', message, use.service, `remove ${use.service} from \`uses\` of ${service}`)
    }
    const url = variableOf(use, 'URL')
    const texts = [...run, ...(prepare ?? []), ...Object.values(env)]
    if (definition.listen === 'tcp' && texts.some((text) => placeholdersIn(text).some(({ name }) => name === url))) {
      const message = `\${${url}} is not set: ${use.service} listens tcp, and only http services have a URL`
      return refuse(
        'E_USES',
        message,
        use.service,
        `use \${${variableOf(use, 'HOST')}} and \${${variableOf(use, 'PORT')}}`,
      )
    }
    const ports = portsOf(generation, definition)
    if (use.port === undefined || ports.includes(use.port)) continue
    const message = `${service} uses port ${use.port} of ${use.service}, which has ${inWords(ports)}`
    return refuse('E_USES', message, use.service, `name one of its ports in \`uses\` of ${service}`)
  }
  return null
}

const inWords = (ports: number[]): string =>
  ports.length === 0 ? 'no port of its own: leave `port` out' : `the ports ${ports.join(', ')}`

const portsOf = ({ routes }: Generation, { listen }: Definition): number[] => {
  const ports = routes.flatMap((route) => (route.kind === 'http' ? [] : [route.port]))
  return ports.length === 0 && listen === 'http' ? [usualHttpPort] : ports
}

/** The services on a circle of uses through this one, which is the first and the last of them; `null`: there is none. */
function circleThrough(state: State, service: string): string[] | null {
  const seen = new Set<string>()
  const walk = (name: string, trail: string[]): string[] | null => {
    const { current, rollout } = state.services[name] ?? {}
    const release = rollout ? state.rollouts[rollout]?.release : current?.release
    for (const use of release === undefined ? [] : servicesUsed(state.releases[release]?.definition.uses)) {
      if (use.service === service) return [...trail, service]
      if (seen.has(use.service)) continue
      seen.add(use.service)
      const found = walk(use.service, [...trail, use.service])
      if (found) return found
    }
    return null
  }
  return walk(service, [service])
}
