import type { Overview } from '../../src/api/overview.ts'

export type Service = Overview['services'][number]
type Instance = Service['instances'][number]

const join = (names: readonly string[]): string =>
  names.length < 2 ? (names[0] ?? '') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`

/** The answer to "is it all right": each state with its machines, the worst first. */
export function stateParts({ state, instances }: Service): { state: string; text: string }[] {
  if (state === 'stopped') return [{ state: 'stopped', text: 'stopped' }]
  const order = ['failed', 'lost', 'starting', 'draining', 'ready', 'stopped']
  const shown = instances.filter((one) => one.state !== 'stopped')
  const by = Map.groupBy(shown, shownState)
  const parts = [...by].map(([name, some]) => {
    const machines = [...new Set(some.map(({ machine }) => machine))].toSorted()
    return { state: name, text: `${name === 'failed' ? 'fails' : name} on ${join(machines)}` }
  })
  if (parts.length === 0) return [{ state: 'unknown', text: 'runs nowhere' }]
  return parts.toSorted((one, other) => order.indexOf(one.state) - order.indexOf(other.state))
}

/** The state of an instance; of one that nobody sees now: lost. */
export const shownState = ({ state, stale }: Instance): string => (stale ? 'lost' : state)

/** The title of the window and the name of the heading for everybody. */
export const titleOf = (service: Service): string =>
  `${service.service}: ${stateParts(service)
    .map(({ text }) => text)
    .join(', ')}`

/** Who may reach a route, and where. */
export function accessWords({ expose, carries, port, address }: NonNullable<Service['access']>[number]): string {
  const who = expose === 'public' ? 'everybody' : "programs on the cluster's machines"
  if (port === null) return `${who}, at the entry`
  return `${who}, ${carries} at ${address === null ? 'all addresses' : address}`
}
