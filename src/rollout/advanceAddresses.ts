import type { Event } from '../events/event.ts'
import type { Moment } from './advance.ts'
import { whyNotAt } from './addressHolders.ts'
import { countsFrom } from './countsFrom.ts'
import { limits } from './limits.ts'
import type { Observed } from './observed.ts'
import { machineBusy } from './serviceView.ts'
import type { AddressState, State } from './state.ts'

/** Without a word for this many, and a bit, a machine that may hold it takes it (RFC 5798, 6.1). */
const advertsUntilTaken = 4

/**
 * Who may hold a virtual address where VRRP alone cannot tell, and when one goes back to the machine it prefers.
 *
 * Machines that do not hear each other (a cut, one way or both) hold an address at the same time. Who took it last is named:
 * the network sends to that one since its announcement, and what was connected to the other is lost already. The others are
 * refused it, and stay so while the named one is heard and holds it, until they reach each other again; so a cut that lasts
 * makes nothing flap. With two addresses and both machines well, each goes back to its own.
 */
export function advanceAddresses(state: State, moment: Moment): Event[] {
  return (state.cluster?.addresses ?? []).flatMap((address, index) => {
    const known = state.addresses[address]
    if (!known) return []
    const ended = returned(state, moment, address, known)
    if (ended || known.holder === null) return ended ?? []
    return (
      contested(state, moment.observed, address, known, known.holder) ??
      settled(state, moment, address, known, known.holder) ??
      returning(state, moment, address, index, known, known.holder) ??
      []
    )
  })
}

/** Only a machine that knows of the taking, and still holds it, contests it: in a usual move it has let go by then. */
function contested(
  state: State,
  observed: Observed,
  address: string,
  { refused, since }: AddressState,
  named: string,
): Event[] | null {
  if (!holds(observed, named, address)) return null
  const others = Object.values(state.machines)
    .filter(({ name, lost }) => name !== named && !lost && !refused.includes(name) && holds(observed, name, address))
    .filter(({ name }) => (observed[name]?.report.applied.address ?? 0) >= since.position)
  if (others.length === 0) return null
  const names = [...refused, ...others.map(({ name }) => name)]
  return [{ type: 'AddressContested', data: { address, named, refused: names } }]
}

function settled(
  state: State,
  { observed, at }: Moment,
  address: string,
  { refused, contestedSince, settledAt }: AddressState,
  named: string,
): Event[] | null {
  if (refused.length === 0 || !contestedSince) return null
  // Held by both again as soon as it was settled: it is VRRP alone that does not pass, and moving it helps nobody.
  const isAgain =
    contestedSince.at - settledAt < limits.contestedAgainMs + advertsUntilTaken * (state.cluster?.advert ?? 0)
  // What it says it reaches is as old as its HAProxy's last check.
  const after = isAgain ? limits.returnAgainMs : limits.settleAddressMs
  if (at - countsFrom(state, contestedSince) < after) return null
  const reach = refused.every((name) => observed[name]?.report.addresses.reaches.includes(named))
  if (!reach) return null
  return [
    { type: 'AddressSettled', data: { address, why: `${refused.join(', ')} and ${named} reach each other again` } },
  ]
}

function returned(
  state: State,
  { observed, at }: Moment,
  address: string,
  { returning: under }: AddressState,
): Event[] | null {
  if (!under) return null
  const to = state.machines[under.to]
  const cannot = to ? whyNotAt(state, observed, to) : `${under.to} is no longer of the cluster`
  const isLate = at - countsFrom(state, under.since) >= limits.returnMs
  if (cannot === null && !isLate) return null
  return [{ type: 'AddressReturnEnded', data: { address, why: cannot ?? `${under.to} did not take it` } }]
}

function returning(
  state: State,
  { observed, at }: Moment,
  address: string,
  index: number,
  known: AddressState,
  holder: string,
): Event[] | null {
  const due = goesBack(state, index, known)
  if (!due || known.returning || known.refused.length > 0 || at < due.notBefore) return null
  const { to } = due
  const machine = state.machines[to]
  const report = observed[to]?.report
  if (!machine || whyNotAt(state, observed, machine) !== null || machineBusy(state)) return null
  if (!report || report.addresses.withheld !== null || !isSteady(state, to)) return null
  // It knows of the last move, so what it says of itself is of now.
  if (report.applied.address < known.since.position) return null
  if (at - countsFrom(state, machine.since) < limits.returnAfterMs) return null
  return [{ type: 'AddressReturnStarted', data: { address, from: holder, to } }]
}

/** To which machine the address goes back once all is well, and when at the earliest (ms); `null`: it stays. */
export function goesBack(
  state: State,
  index: number,
  { holder, since, triedAt }: AddressState,
): { to: string; notBefore: number } | null {
  const to = preferredMachine(state, index)
  if (!to || holder === null || to === holder || (state.cluster?.addresses.length ?? 0) < 2) return null
  return { to, notBefore: Math.max(countsFrom(state, since) + limits.returnAfterMs, triedAt + limits.returnAgainMs) }
}

/** Each address prefers its own machine, in the order of their names: as keepalived's priorities say, too. */
export function preferredMachine({ cluster }: State, index: number): string | null {
  const names = Object.entries(cluster?.machines ?? {})
    .filter(([, { drivers }]) => drivers.address === 'keepalived')
    .map(([name]) => name)
    .toSorted()
  // One of each family move together: VRRP speaks one, and takes the other along.
  const apart = new Set(cluster?.addresses.map((address) => address.includes(':'))).size === 1
  return names[(apart ? index : 0) % names.length] ?? null
}

/** Everything it is to run is ready there, and nothing is being rolled there. */
function isSteady(state: State, machine: string): boolean {
  const isTurning = Object.values(state.turns).some((turn) => turn.machine === machine)
  return !isTurning && Object.values(state.instances).every((one) => one.machine !== machine || one.state === 'ready')
}

const holds = (observed: Observed, machine: string, address: string): boolean =>
  observed[machine]?.report.addresses.held.some((one) => one.address === address) ?? false
