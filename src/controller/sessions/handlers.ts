import type { sessionOperations } from '../../api/sessions.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import type { Caller, Handlers, Rooms } from '../handlers.ts'
import type { KnownCaller } from '../http/callers.ts'

type Answers = Handlers<keyof typeof sessionOperations>

export const sessionHandlers = ({ sessions, callers, controller }: Rooms): Answers => ({
  makeLink: ({ query }, caller) => {
    const { token } = known(caller)
    // Machines do not have this call, and everybody else has a token.
    const { link, expiresAt } = sessions.link(token ?? '', controller.now(), query.tunnel)
    return { link, expiresAt: timeOf(expiresAt) }
  },
  startSession: async (_, caller) => {
    const started = await sessions.start(caller.role === 'visitor' ? caller.secret : '', controller.now())
    if (started === null) {
      throw new OperatorError('E_LINK_REFUSED', 'another browser used this link at the same moment', {
        next: 'tandem open   makes a new one',
      })
    }
    const { key, holder } = started
    return { key, name: holder.name, role: peoples(holder.role), expiresAt: timeOf(holder.expiresAt) }
  },
  session: (_, caller) => {
    const { name, role, session } = known(caller)
    return { name, role: peoples(role), expiresAt: session && timeOf(session.expiresAt) }
  },
  endTunnelSessions: async ({ params }) => {
    const ended = await sessions.endTunnel(params.tunnel)
    callers.cutRefused()
    return { ended }
  },
  endSession: async (_, caller) => {
    const { session } = known(caller)
    if (session !== null) await sessions.end(session.key)
    callers.cutRefused()
    return { ended: session !== null }
  },
})

/** The callers of these calls are readers and operators: `Callers.identify` has refused the others. */
const known = (caller: Caller): KnownCaller => caller as KnownCaller
const peoples = (role: KnownCaller['role']): 'reader' | 'operator' => (role === 'operator' ? 'operator' : 'reader')
const timeOf = (ms: number): string => new Date(ms).toISOString()
