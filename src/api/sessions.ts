import { z } from 'zod'
import { time, type Operation } from './operation.ts'

const holder = {
  name: z.string().describe('name of the token with which the session was opened, or of the token of the call'),
  role: z.enum(['operator', 'reader']),
}

const tunnel = z
  .string()
  .regex(/^[\w-]{16,64}$/)
  .describe('an id that the caller has made')

export const sessionOperations = {
  makeLink: {
    ...{ method: 'POST', path: '/session-links', role: 'reader' },
    summary: 'make a link that opens the page in a browser, once, within a minute, as the holder of the token',
    query: z.object({ tunnel: tunnel.optional().describe('id of the tunnel that carries the page to the browser') }),
    response: z.object({ link: z.string().describe('the secret of the link'), expiresAt: time }),
  },
  startSession: {
    ...{ method: 'POST', path: '/sessions', role: 'visitor' },
    summary: 'start the session of a browser: the bearer token is the secret of a link, which is then used up',
    response: z.object({
      key: z.string().describe('the bearer token of all calls of the session'),
      ...holder,
      expiresAt: time,
    }),
  },
  session: {
    ...{ method: 'GET', path: '/session', role: 'reader', summary: 'who the caller is' },
    response: z.object({
      ...holder,
      expiresAt: time.nullable().describe('null: the caller has a token and no session'),
    }),
  },
  endTunnelSessions: {
    ...{ method: 'POST', path: '/session-tunnels/:tunnel/end', role: 'reader' },
    summary: 'end the sessions whose links were made for a tunnel: somebody else may take its port afterwards',
    params: z.object({ tunnel }),
    response: z.object({ ended: z.int() }),
  },
  endSession: {
    ...{ method: 'POST', path: '/session/end', role: 'reader', summary: 'end the session of the call' },
    response: z.object({ ended: z.boolean().describe('false: the caller has a token and no session') }),
  },
} as const satisfies Record<string, Operation>
