import type { Named } from '../../api/names.ts'
import type { Observed } from '../../decision/observed.ts'
import { instancesOf, instancesOn, isReachable, serves, takesRequests } from '../../fleet/serving.ts'
import { nameEnd } from '../../definitions/names.ts'
import type { Answer } from '../../protocol/localRoutes.ts'
import type { State } from '../../rollout/state.ts'
import { callersOf } from '../../rollout/callers.ts'
import { answersOf } from '../../rollout/localAnswers.ts'

/** Every service that programs on the machines can call, and who answers from each of them. */
export function namedServices(state: State, observed: Observed): Named[] {
  return Object.keys(state.services)
    .sort()
    .flatMap((service) => {
      const answers = answersOf(state, service)
      const [first] = answers
      if (first === undefined) return []
      return {
        service,
        name: state.config.laptop ? null : `${service}${nameEnd}`,
        address: first.address,
        ports: answers.map(({ port, carries }) => ({ port, carries })),
        usedBy: callersOf(state, service),
        from: Object.keys(state.machines)
          .sort()
          .map((machine) => ({
            machine,
            ...answeredFrom(state, observed, { service, machine, carries: first.carries }),
          })),
      }
    })
}

interface Call {
  service: string
  machine: string
  carries: Answer['carries']
}

/** A machine's balancer prefers instances of its own machine, and then uses all others alike. */
function answeredFrom(
  state: State,
  observed: Observed,
  { service, machine, carries }: Call,
): Pick<Named['from'][number], 'answered' | 'why'> {
  if (!isReachable(state, machine)) return { answered: [], why: `machine ${machine} is lost: nothing is known of it` }
  const unserved = observed[machine]?.report.unserved.find((one) => one.service === service)
  if (unserved) return { answered: [], why: unserved.reason }
  const here = instancesOn(state, service, machine).filter((one) => takesRequests(state, one))
  if (here.length > 0) return { answered: here.map(named), why: 'ready on the same machine' }
  const others = instancesOf(state, service).filter((one) => one.machine !== machine && serves(state, one))
  const isOut = state.machines[machine]?.traffic !== 'ready'
  const lacking = isOut ? `${machine} is out of traffic` : `no ready instance on ${machine}`
  if (others.length > 0) return { answered: others.map(named), why: `${lacking}: forwarded` }
  const how = carries === 'http' ? 'callers get the answer 503' : 'connections are closed at once'
  return { answered: [], why: `no ready instance anywhere: ${how}` }
}

const named = ({ id, machine }: { id: string; machine: string }): { instance: string; machine: string } => ({
  instance: id,
  machine,
})
