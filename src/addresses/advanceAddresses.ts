import { countsFrom } from '../decision/base.ts'
import { limits } from '../decision/limits.ts'
import { isMachineBusy, type Moment } from '../decision/moment.ts'
import type { Observed } from '../decision/observed.ts'
import { addressMoves } from '../definitions/addresses/drivers.ts'
import type { Event } from '../events/event.ts'
import { whyNotAt } from './addressHolders.ts'
import type { Address, AddressesWorld } from './state.ts'

/**
 * Advert intervals without an advert after which a machine that may hold an address has taken it (RFC 5798, section
 * 6.1: three intervals and a skew time).
 */
const advertsUntilTaken = 4

/**
 * Decides which machine may hold a virtual address where VRRP alone cannot, and when an address returns to its
 * preferred machine.
 *
 * Machines that do not hear each other (a cut link, in one or both directions) hold an address at the same time. The
 * controller names the machine that took it last: since that machine's announcement the network sends to it, and
 * connections to the other machine are already lost. The other machines are refused the address as long as the named
 * machine reports and holds it, until they reach each other again; so a cut that lasts does not make the address flap.
 * With two addresses and both machines healthy, each address returns to its own machine.
 */
export function advanceAddresses(state: AddressesWorld, moment: Moment): Event[] {
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

/**
 * A machine contests the address only when it knows of the takeover and still holds the address: in a usual move it has
 * released the address by then.
 */
function contested(
  state: AddressesWorld,
  observed: Observed,
  address: string,
  { refused, since }: Address,
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
  state: AddressesWorld,
  { observed, at }: Moment,
  address: string,
  { refused, contestedSince, settledAt }: Address,
  named: string,
): Event[] | null {
  if (refused.length === 0 || !contestedSince) return null
  // Both machines hold the address again as soon as it was settled: only VRRP is blocked, and moving the address does
  // not help.
  const isAgain =
    contestedSince.at - settledAt < limits.contestedAgainMs + advertsUntilTaken * (state.cluster?.advert ?? 0)
  // The report of which machines are reachable is as old as the last check of the machine's HAProxy.
  const after = isAgain ? limits.returnAgainMs : limits.settleAddressMs
  if (at - countsFrom(state, contestedSince) < after) return null
  const reach = refused.every((name) => observed[name]?.report.addresses.reaches.includes(named))
  if (!reach) return null
  return [
    { type: 'AddressSettled', data: { address, why: `${refused.join(', ')} and ${named} reach each other again` } },
  ]
}

function returned(
  state: AddressesWorld,
  { observed, at }: Moment,
  address: string,
  { returning: under }: Address,
): Event[] | null {
  if (!under) return null
  const to = state.machines[under.to]
  const cannot = to ? whyNotAt(state, observed, to) : `${under.to} no longer belongs to the cluster`
  const isLate = at - countsFrom(state, under.since) >= limits.returnMs
  if (cannot === null && !isLate) return null
  return [{ type: 'AddressReturnEnded', data: { address, why: cannot ?? `${under.to} did not take the address` } }]
}

function returning(
  state: AddressesWorld,
  moment: Moment,
  address: string,
  index: number,
  known: Address,
  holder: string,
): Event[] | null {
  const { observed, at } = moment
  const due = goesBack(state, index, known)
  if (!due || known.returning || known.refused.length > 0 || at < due.notBefore) return null
  const { to } = due
  const machine = state.machines[to]
  const report = observed[to]?.report
  if (!machine || whyNotAt(state, observed, machine) !== null || isMachineBusy(moment)) return null
  if (!report || report.addresses.withheld !== null || !isSteady(state, to)) return null
  // Only a report from after the last move describes the present.
  if (report.applied.address < known.since.position) return null
  if (at - countsFrom(state, machine.since) < limits.returnAfterMs) return null
  return [{ type: 'AddressReturnStarted', data: { address, from: holder, to } }]
}

/**
 * The machine that the address returns to once all is healthy, and the earliest time (ms); `null`: the address stays.
 */
export function goesBack(
  state: AddressesWorld,
  index: number,
  { holder, since, triedAt }: Address,
): { to: string; notBefore: number } | null {
  const to = preferredMachine(state, index)
  if (!to || holder === null || to === holder || (state.cluster?.addresses.length ?? 0) < 2) return null
  return { to, notBefore: Math.max(countsFrom(state, since) + limits.returnAfterMs, triedAt + limits.returnAgainMs) }
}

/** Each address prefers its own machine, in the order of their names; keepalived's priorities follow the same order. */
export function preferredMachine({ cluster }: AddressesWorld, index: number): string | null {
  const names = Object.entries(cluster?.machines ?? {})
    .filter(([, { drivers }]) => addressMoves(drivers) === 'elected')
    .map(([name]) => name)
    .toSorted()
  // An IPv4 and an IPv6 address move together: VRRP runs for one of them, and the other follows.
  const apart = new Set(cluster?.addresses.map((address) => address.includes(':'))).size === 1
  return names[(apart ? index : 0) % names.length] ?? null
}

/** Every instance that the machine should run is ready, and no turn is in progress on the machine. */
function isSteady(state: AddressesWorld, machine: string): boolean {
  const isTurning = Object.values(state.turns).some((turn) => turn.machine === machine)
  return !isTurning && Object.values(state.instances).every((one) => one.machine !== machine || one.state === 'ready')
}

const holds = (observed: Observed, machine: string, address: string): boolean =>
  observed[machine]?.report.addresses.held.some((one) => one.address === address) ?? false
