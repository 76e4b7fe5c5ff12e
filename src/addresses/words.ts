import { change, step, type Words } from '../decision/words.ts'
import type { AddressEvents } from '../events/addressEvents.ts'
import { reportedBy } from '../lib/reportedBy.ts'

export const addressWords: Words<AddressEvents> = {
  AddressTaken: ({ address, machine, from, why }) =>
    from === null || from === machine
      ? change('done', address, `is held by ${machine}: ${why}`, { machine })
      : change('moved', address, `moved from ${from} to ${machine}; ${reportedBy(from, why)}`, { machine }),
  AddressReleased: ({ address, machine, why }) =>
    change('warn', address, `was released by ${machine}: ${why}`, { machine }),
  AddressContested: ({ address, named, refused }) =>
    change('failed', address, `was held by ${[named, ...refused].join(' and ')}; ${named} keeps it`, {
      machine: named,
    }),
  AddressSettled: ({ address, why }) => change('done', address, `has one holder again: ${why}`),
  AddressReturnStarted: ({ address, from, to }) =>
    step('running', address, `goes back from ${from} to ${to}`, { machine: to }),
  AddressReturnEnded: ({ address, why }) => step('done', address, `no longer goes back: ${why}`),
}
