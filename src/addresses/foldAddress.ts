import type { Asked } from '../decision/base.ts'
import type { Folds, Recorded } from '../decision/room.ts'
import { change } from '../lib/records.ts'
import type { Address, AddressesState, AddressesWorld } from './state.ts'

type AddressEvent = Recorded<
  | 'AddressTaken'
  | 'AddressReleased'
  | 'AddressContested'
  | 'AddressSettled'
  | 'AddressReturnStarted'
  | 'AddressReturnEnded'
>

export const addressFolds = {
  AddressTaken: evolveAddress,
  AddressReleased: evolveAddress,
  AddressContested: evolveAddress,
  AddressSettled: evolveAddress,
  AddressReturnStarted: evolveAddress,
  AddressReturnEnded: evolveAddress,
  MachineLost: ({ addresses }, { data }) => ({ addresses: withoutNamed(addresses, data.machine) }),
  MachineRemoved: ({ addresses }, { data }) => ({ addresses: withoutHolder(addresses, data.machine) }),
} satisfies Folds<AddressesWorld, AddressesState>

function evolveAddress(state: AddressesWorld, event: AddressEvent, asked: Asked): AddressesState {
  const { address } = event.data
  const put = (known: Address): AddressesState => ({ addresses: { ...state.addresses, [address]: known } })
  const set = (with_: (known: Address) => Address): AddressesState => ({
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
function withoutNamed(addresses: AddressesState['addresses'], machine: string): AddressesState['addresses'] {
  return Object.fromEntries(
    Object.entries(addresses).map(([address, known]) => [
      address,
      known.holder === machine ? { ...known, refused: [], contestedSince: null } : known,
    ]),
  )
}

function withoutHolder(addresses: AddressesState['addresses'], machine: string): AddressesState['addresses'] {
  return Object.fromEntries(
    Object.entries(withoutNamed(addresses, machine)).map(([address, known]) => [
      address,
      {
        ...known,
        ...(known.holder === machine
          ? { holder: null, from: machine, why: `machine ${machine} no longer belongs to the cluster` }
          : {}),
        holders: known.holders.filter((name) => name !== machine),
        refused: known.refused.filter((name) => name !== machine),
      },
    ]),
  )
}
