import { goesBack } from '../../addresses/advanceAddresses.ts'
import type { AddressesWorld } from '../../addresses/state.ts'
import type { Status } from '../../api/views.ts'
import { addressMoves } from '../../definitions/addresses/drivers.ts'

/** The virtual addresses that Tandem moves, and who holds them. */
export function addressViews(state: AddressesWorld): Status['addresses'] {
  const { addresses = [], machines = {} } = state.cluster ?? {}
  const isMoved = Object.values(machines).some(({ drivers }) => addressMoves(drivers) === 'elected')
  return (isMoved ? addresses : []).map((address, index) => {
    const known = state.addresses[address]
    if (!known) {
      const why = 'no machine holds it yet'
      return { address, holder: null, since: null, from: null, why, refused: [], goesBack: null }
    }
    const { holder, since, from, why, refused } = known
    const back = goesBack(state, index, known)
    return {
      ...{ address, holder, since: new Date(since.at).toISOString(), from, why, refused },
      goesBack: back && { to: back.to, notBefore: new Date(back.notBefore).toISOString() },
    }
  })
}
