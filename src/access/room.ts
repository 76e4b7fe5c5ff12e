import { accepted, type Decision } from '../decision/refuse.ts'
import { roomOf } from '../decision/room.ts'
import type { AccessEvents } from '../events/accessEvents.ts'
import { without } from '../lib/records.ts'
import { accessLinks } from './links.ts'
import { openAccess, type AccessState, type AccessWorld, type OpenAccess } from './openAccess.ts'
import { accessWords } from './words.ts'

interface CloseAccess {
  type: 'CloseAccess'
  access: string
  end: Pick<AccessEvents['AccessEnded'], 'how' | 'code' | 'signal' | 'reason'>
}

/** Shells, commands and forwards that people have open on instances. They change nothing; the log keeps who, what and how long. */
export const access = roomOf<AccessWorld, AccessState, AccessEvents, OpenAccess | CloseAccess>()({
  name: 'access',
  words: accessWords,
  links: accessLinks,
  initial: { accesses: {} },
  folds: {
    AccessStarted: ({ accesses }, { data }, { at }) => {
      const { access: id, kind, service, instance, machine, port } = data
      return { accesses: { ...accesses, [id]: { access: id, kind, service, instance, machine, port, at } } }
    },
    AccessEnded: ({ accesses }, { data }) => ({ accesses: without(accesses, data.access) }),
  },
  commands: { OpenAccess: openAccess, CloseAccess: closeAccess },
  desire: () => ({}),
})

function closeAccess({ accesses }: AccessWorld, { access: id, end, at }: CloseAccess & { at: number }): Decision {
  const open = accesses[id]
  if (!open) return { type: 'nothing' }
  const { kind, service, instance, machine } = open
  const lastedMs = Math.max(0, at - open.at)
  return accepted({ type: 'AccessEnded', data: { access: id, kind, service, instance, machine, ...end, lastedMs } })
}
