import { servicesUsed } from '../../definitions/uses/variables.ts'
import type { ResolvedRoute } from '../../events/rolloutEvents.ts'
import { refuse, type Refusal } from '../../decision/refuse.ts'
import { callersOf } from '../callers.ts'
import { newestGeneration } from '../localAnswers.ts'
import type { RolloutFeature } from '../rolloutFeature.ts'
import { definitionNow } from '../serviceView.ts'
import type { State } from '../state.ts'

/** The services that use this one. */
export const users: RolloutFeature = {
  refuse: (state, { service, kind, force, routes, hasServed }) => {
    if (kind === 'remove' && !force) return refuseRemovingUsed(state, service)
    return kind === 'deploy' && !hasServed ? refuseClosingUsed(state, service, routes) : null
  },
  warnings: (state, { service, kind }) => {
    if (kind !== 'stop' && kind !== 'remove') return []
    return callersOf(state, service).map(
      (user) => `${user} uses ${service}, which ${kind === 'stop' ? 'stops' : 'is removed'}`,
    )
  },
}

function refuseRemovingUsed(state: State, service: string): Refusal | null {
  const users = callersOf(state, service, { needs: true })
  if (users.length === 0) return null
  const next = `remove ${service} from their \`uses\` and push them first, or: tandem remove ${service} --force`
  return refuse('E_IN_USE', `${users.join(', ')} ${users.length === 1 ? 'uses' : 'use'} ${service}`, service, next)
}

/** Refuses a release that closes a port which other services use: they keep its number until they start again. */
function refuseClosingUsed(state: State, service: string, next: readonly ResolvedRoute[]): Refusal | null {
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
