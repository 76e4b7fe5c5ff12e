import type { Definition } from '../definitions/definition.ts'
import { nearest } from '../definitions/suggest.ts'
import type { ServiceUse } from '../definitions/uses/useShape.ts'
import { placeholdersIn } from '../definitions/placeholders.ts'
import { servicesUsed, variableOf } from '../definitions/uses/variables.ts'
import { refuse, type Refusal } from '../decision/refuse.ts'
import type { EventData } from '../events/event.ts'
import type { ResolvedRoute } from '../events/rolloutEvents.ts'
import { definitionOf } from '../fleet/serving.ts'
import type { Answer } from '../protocol/names.ts'
import { callersOf } from './callers.ts'
import { knownServices } from './knownServices.ts'
import { laptopAddress } from './loopback.ts'
import { definitionNow } from './serviceView.ts'
import type { Generation, State } from './state.ts'

/** The port at which an http service without a local route answers the services that use it. */
const usualHttpPort = 80

/** The local route that an http service without one has while others use it. */
export function impliedRoute(
  state: Pick<State, 'loopbacks' | 'laptopPorts'>,
  service: string,
  { listen }: Definition,
  routes: readonly ResolvedRoute[],
): (ResolvedRoute & { kind: 'local' }) | null {
  const address = state.loopbacks[service]
  if (listen !== 'http' || address === undefined || routes.some(({ kind }) => kind === 'local')) return null
  return { kind: 'local', carries: 'http', address, port: state.laptopPorts[service] ?? usualHttpPort }
}

/** Every way to reach a service from a program on a machine, in the order of its definition. */
export function answersOf(state: State, service: string): Answer[] {
  const generation = newestGeneration(state, service)
  if (generation === null) return []
  const definition = definitionOf(state, generation.release)
  const written = generation.routes.flatMap((route): Answer[] => {
    if (route.kind === 'http') return []
    if (route.kind === 'local') return [{ address: route.address, port: route.port, carries: route.carries }]
    const address = state.config.laptop ? laptopAddress : state.loopbacks[service]
    return address === undefined ? [] : [{ address, port: route.port, carries: 'tcp' }]
  })
  const implied = impliedRoute(state, service, definition, generation.routes)
  return implied ? [...written, { address: implied.address, port: implied.port, carries: 'http' }] : written
}

/** Where a service reaches the one that it uses; `null`: nowhere yet. On a laptop, a route without a port of its own has another one. */
export function answerOf(state: State, { service, port }: ServiceUse): Answer | null {
  const answers = answersOf(state, service)
  const isUsual = port === usualHttpPort && state.laptopPorts[service] !== undefined
  return answers.find((answer) => port === undefined || answer.port === port || isUsual) ?? null
}

function newestGeneration(state: State, name: string): Generation | null {
  const service = state.services[name]
  const id = service?.current?.generation ?? service?.rollout
  return (id ? state.generations[id] : undefined) ?? null
}

/** Refuses a release that uses a service which does not exist, or which cannot be called. */
export function refuseUses(state: State, { service, uses, run, prepare, env }: Definition): Refusal | null {
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

/** Refuses a release that closes a port which other services use: they keep its number until they start again. */
export function refuseClosingUsed(state: State, service: string, next: readonly ResolvedRoute[]): Refusal | null {
  const open = (routes: readonly ResolvedRoute[]): number[] =>
    routes.flatMap((route) => (route.kind === 'http' ? [] : [route.port]))
  const before = newestGeneration(state, service)
  if (before === null || !state.services[service]?.current) return null
  const closed = open(before.routes).filter((port) => !open(next).includes(port))
  for (const user of callersOf(state, service)) {
    for (const use of servicesUsed(definitionNow(state, user)?.uses).filter((one) => one.service === service)) {
      const port = use.port ?? open(before.routes)[0]
      if (port === undefined || !closed.includes(port)) continue
      const message = `this release would close port ${port}, which ${user} uses`
      const way = `keep port ${port} beside the new one, let ${user} use the new one, then remove port ${port}`
      return refuse('E_IN_USE', message, service, way)
    }
  }
  return null
}

/** Doubtful things about a rollout that has just begun. */
export function warningsAbout(state: State, { service, kind, release }: EventData['RolloutStarted']): string[] {
  if (kind === 'stop') return usersInWords(state, service, 'stops')
  if (kind === 'remove') return usersInWords(state, service, 'is removed')
  const circle = circleThrough(state, service)
  const missing = servicesUsed(state.releases[release]?.definition.uses).filter((use) => answerOf(state, use) === null)
  return [
    ...(circle === null ? [] : [`a circle: ${circle.join(' uses ')}`]),
    ...missing.map((use) => `${service} uses ${use.service}, which is missing: its variables are not set`),
  ]
}

const usersInWords = (state: State, service: string, happens: string): string[] =>
  callersOf(state, service).map((user) => `${user} uses ${service}, which ${happens}`)

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
