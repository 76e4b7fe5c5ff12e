import type { ServiceCall } from '../definitions/calls.ts'
import type { Definition } from '../definitions/definition.ts'
import type { ResolvedRoute } from '../events/rolloutEvents.ts'
import { definitionOf } from '../fleet/serving.ts'
import type { Answer } from '../protocol/localRoutes.ts'
import { laptopAddress } from './loopback.ts'
import type { Generation, State } from './state.ts'

/** The port at which an http service without a local route answers the services that call it. */
export const usualHttpPort = 80

/** The local route that an http service without one has while others call it. */
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

/** Where a service reaches the one that it calls; `null`: nowhere yet. On a laptop, a route without a port of its own has another one. */
export function answerOf(state: State, { service, port }: ServiceCall): Answer | null {
  const answers = answersOf(state, service)
  const isUsual = port === usualHttpPort && state.laptopPorts[service] !== undefined
  return answers.find((answer) => port === undefined || answer.port === port || isUsual) ?? null
}

/** `null`: no rollout of the service has begun. */
export function newestGeneration(state: State, name: string): Generation | null {
  const service = state.services[name]
  const id = service?.current?.generation ?? service?.rollout
  return (id ? state.generations[id] : undefined) ?? null
}
