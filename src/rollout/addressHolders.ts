import type { Observed } from './observed.ts'
import type { Machine, State } from './state.ts'

/** Why no other machine would take what comes to this one by virtual addresses; `null`: one would, or nothing comes so. */
export function aloneAtAddresses(state: State, observed: Observed, machine: string): string | null {
  const { addresses = [], machines = {} } = state.cluster ?? {}
  const driver = machines[machine]?.drivers.address ?? 'none'
  const holds = Object.values(state.addresses).some(({ holder }) => holder === machine)
  const isHolder = driver === 'command' || holds || (observed[machine]?.report.addresses.held.length ?? 0) > 0
  if (addresses.length === 0 || driver === 'none' || !isHolder) return null
  const others = Object.values(state.machines).filter(
    ({ name }) => name !== machine && machines[name]?.drivers.address === driver,
  )
  const why = others.map((other) => whyNotAt(state, observed, other))
  return why.includes(null) ? null : why.join('; ') || 'there is no other machine'
}

/** Why this machine takes no virtual address though it is to, or none yet; `null`: it takes one. */
export function whyNotAt(state: State, observed: Observed, { name, lost, traffic, since }: Machine): string | null {
  const report = observed[name]?.report
  if (lost || !report) return `${name} is not heard`
  if (traffic !== 'ready') return `${name} is out of traffic`
  if (report.addresses.trouble !== null) return `${name}: ${report.addresses.trouble}`
  const isScript = state.cluster?.machines[name]?.drivers.address === 'command'
  return isScript && report.applied.address < since.position ? `${name}: its script take is not over` : null
}
