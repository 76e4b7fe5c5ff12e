import type { tailOperations } from '../../api/tails.ts'
import type { Caller, Handlers, Rooms } from '../handlers.ts'
import type { KnownCaller } from '../http/callers.ts'

export const tailHandlers = ({ tails }: Rooms): Handlers<keyof typeof tailOperations> => ({
  openTail: async ({ params, body }, caller) => {
    const { tail, ...wanted } = body
    return { tail, instance: await tails.openTail(params.stream, readerOf(caller), tail, wanted) }
  },
  endTail: ({ params }, caller) => ({ ended: tails.endTail(params.stream, readerOf(caller), params.tail) }),
})

/** `Callers.identify` has refused all callers that are not known. */
const readerOf = (caller: Caller): string => readerId(caller as KnownCaller)

/** Distinguishes the readers of streams: the tabs of a browser are one. */
export const readerId = ({ session, token, name }: KnownCaller): string => session?.key ?? token ?? name
