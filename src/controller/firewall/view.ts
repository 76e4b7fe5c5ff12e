import type { CallView, GuardView, WhyView } from '../../api/firewall.ts'
import type { Observed } from '../../decision/observed.ts'
import { firewallOf } from '../../definitions/firewall/facets.ts'
import { callersIn, callersOf } from '../../rollout/callers.ts'
import { noSuchService } from '../../decision/knownServices.ts'
import type { State } from '../../rollout/state.ts'
import { refusalError } from '../refusalError.ts'
import { callsIn, type CallCounts } from './callCounts.ts'

const userPrefix = 'user '

export function guardView(state: State, observed: Observed, counts: CallCounts): GuardView {
  return {
    mode: modeOf(state),
    since: counts.since === null ? null : new Date(counts.since).toISOString(),
    machines: Object.keys(state.machines)
      .sort()
      .map((machine) => {
        const { state: is = 'off', why = null } = observed[machine]?.report.firewall ?? {}
        return { machine, state: is, why }
      }),
    calls: callsIn(counts).map((call): CallView => ({ ...call, may: mayCall(state, call.from, call.to).may })),
  }
}

const modeOf = ({ config, cluster }: State): GuardView['mode'] =>
  config.laptop || cluster === null ? null : firewallOf(cluster).mode

/** Says where `uses` keeps nobody out, if a service has any. */
export const unguarded = (state: State): string[] =>
  state.config.laptop && callersIn(state).size > 0
    ? ['`uses` not enforced: all services of a laptop run as one user']
    : []

/** Throws for a service that does not exist. */
export function whyView(state: State, counts: CallCounts, from: string, to: string): WhyView {
  if (!Object.hasOwn(state.services, to)) {
    throw refusalError(noSuchService(state, to))
  }
  const caller = Object.hasOwn(state.services, from) || from.startsWith(userPrefix) ? from : `${userPrefix}${from}`
  const { may, why, next } = mayCall(state, caller, to)
  const mode = modeOf(state)
  const held = mode === 'enforce' || may ? '' : `; ${mode === null ? 'nothing is guarded here' : 'it is only counted'}`
  const refused = callsIn(counts).find((call) => call.from === caller && call.to === to)?.refused ?? null
  return { from: caller, to, may, why: `${why}${held}`, next, refused }
}

function mayCall(state: State, from: string, to: string): Pick<WhyView, 'may' | 'why' | 'next'> {
  const yes = (why: string) => ({ may: true, why, next: null })
  if (from === to) return yes('a service may connect to itself')
  if (from === `${userPrefix}root`) return yes('root may connect to everything')
  if (from.startsWith(userPrefix)) {
    const user = from.slice(userPrefix.length)
    const users = state.cluster === null ? [] : firewallOf(state.cluster).users
    if (users.includes(user)) return yes(`cluster.yaml names ${user} in \`firewall: users\``)
    return {
      may: false,
      why: `${user} is the user of no service, and cluster.yaml does not name it in \`firewall: users\``,
      next: `add it to cluster.yaml:   firewall: { users: [${[...users, user].join(', ')}] }`,
    }
  }
  if (callersOf(state, to).includes(from)) return yes(`\`uses\` of ${from} names ${to}`)
  return {
    may: false,
    why: `\`uses\` of ${from} does not name ${to}`,
    next: `add it to the definition of ${from}, and push it:   uses: [${to}]`,
  }
}
