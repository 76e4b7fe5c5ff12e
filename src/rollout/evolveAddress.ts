import type { EventType, RecordedEvent } from '../events/event.ts'
import { change } from '../lib/records.ts'
import type { AddressState, Asked, State } from './state.ts'

type AddressEvent = Extract<RecordedEvent, { type: Extract<EventType, `Address${string}`> }>

export function evolveAddress(state: State, event: AddressEvent, asked: Asked): State {
  const { address } = event.data
  const put = (known: AddressState): State => ({ ...state, addresses: { ...state.addresses, [address]: known } })
  const set = (with_: (known: AddressState) => AddressState): State => ({
    ...state,
    addresses: change(state.addresses, address, with_),
  })
  const before = state.addresses[address]
  const { triedAt = 0, settledAt = Number.MIN_SAFE_INTEGER, holders = [] } = before ?? {}
  const nothingElse = { since: asked, refused: [], contestedSince: null, returning: null, triedAt, settledAt }
  switch (event.type) {
    case 'AddressTaken': {
      const { machine, from, why } = event.data
      return put({ ...nothingElse, holder: machine, holders: [...new Set([...holders, machine])], from, why })
    }
    case 'AddressReleased': {
      const { machine, why } = event.data
      const left = holders.filter((name) => name !== machine)
      // Another machine has taken the address over; that event recorded the reason.
      if (before && before.holder !== null && before.holder !== machine) return put({ ...before, holders: left })
      // Another machine that held the address all along keeps it. If the address is returning, its preferred machine is
      // about to take it.
      const next = left.at(-1) ?? null
      return put({
        ...nothingElse,
        holder: next,
        holders: left,
        from: machine,
        why,
        returning: before?.returning ?? null,
      })
    }
    case 'AddressContested':
      return set((known) => ({ ...known, refused: event.data.refused, contestedSince: asked }))
    case 'AddressSettled':
      return set((known) => ({ ...known, refused: [], contestedSince: null, settledAt: asked.at }))
    case 'AddressReturnStarted': {
      const { from, to } = event.data
      return set((known) => ({ ...known, returning: { from, to, since: asked }, triedAt: asked.at }))
    }
    case 'AddressReturnEnded':
      return set((known) => ({ ...known, returning: null }))
  }
}

/**
 * A silent or removed machine is no longer named as the holder: the machines that were refused the address may take it.
 */
export function withoutNamed(addresses: State['addresses'], machine: string): State['addresses'] {
  return Object.fromEntries(
    Object.entries(addresses).map(([address, known]) => [
      address,
      known.holder === machine ? { ...known, refused: [], contestedSince: null } : known,
    ]),
  )
}
