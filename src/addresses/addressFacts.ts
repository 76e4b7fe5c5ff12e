import type { Moment } from '../decision/moment.ts'
import type { Observed } from '../decision/observed.ts'
import type { Event } from '../events/event.ts'
import type { Report } from '../protocol/report.ts'
import type { Address, AddressesWorld } from './state.ts'

/** The changes of virtual addresses that a report shows and the log does not know yet: an address taken or released. */
export function addressFacts(state: AddressesWorld, report: Report, { observed }: Moment): Event[] {
  const { machine, addresses } = report
  const mark = { boot: report.boot, seq: report.seq }
  const now = new Set(addresses.held.map(({ address }) => address))
  return (state.cluster?.addresses ?? []).flatMap((address): Event[] => {
    const known = state.addresses[address]
    const holds = now.has(address)
    const held = known?.holders.includes(machine) ?? false
    if (holds === held) return []
    if (holds) {
      // A machine that is refused the address is about to release it.
      if (known?.refused.includes(machine)) return []
      const from = known?.holder ?? known?.from ?? null
      const why = whyTaken(state, observed, known, machine)
      return [{ type: 'AddressTaken', data: { address, machine, from: from === machine ? null : from, why, mark } }]
    }
    const why = addresses.withheld ?? 'its keepalived released it'
    return [{ type: 'AddressReleased', data: { address, machine, why, mark } }]
  })
}

function whyTaken(state: AddressesWorld, observed: Observed, known: Address | undefined, by: string): string {
  if (!known) return 'no machine held it'
  const { holder, from, why } = known
  if (holder === null) return from === null || from === by ? why : `${from}: ${why}`
  const before = state.machines[holder]
  if (!before) return `machine ${holder} no longer belongs to the cluster`
  if (before.traffic !== 'ready') return `machine ${holder} is taken out of traffic`
  if (known.returning?.to === by) return `the address returns to ${by}, its preferred machine`
  const withheld = observed[holder]?.report.addresses.withheld
  if (withheld) return `${holder}: ${withheld}`
  return before.lost ? `machine ${holder} is lost` : `${by} no longer heard ${holder}`
}
