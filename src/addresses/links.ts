import { chainOf, type Links } from '../decision/links.ts'
import type { AddressEvents } from '../events/addressEvents.ts'

const { away, lost } = chainOf
const moving = (address: string): string => `address ${address}`
const contest = (address: string): string => `contest ${address}`

export const addressLinks: Links<AddressEvents> = {
  AddressTaken: ({ address, from }) => ({
    ...{ in: [moving(address)], ends: [moving(address)] },
    after: from === null ? [] : [lost(from), away(from)],
  }),
  AddressReleased: ({ address, machine }) => ({
    ...{ after: [lost(machine), away(machine)], in: [contest(address), moving(address)], opens: [moving(address)] },
  }),
  AddressContested: ({ address }) => ({ opens: [contest(address)] }),
  AddressSettled: ({ address }) => ({ in: [contest(address)], ends: [contest(address)] }),
  AddressReturnStarted: ({ address }) => ({ opens: [moving(address)] }),
  AddressReturnEnded: ({ address }) => ({ in: [moving(address)], ends: [moving(address)] }),
}
