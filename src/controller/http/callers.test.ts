import { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { expect, it } from 'vitest'
import type { Controller } from '../controller.ts'
import type { Sessions } from '../../store/sessions.ts'
import type { Tokens } from '../../store/tokens.ts'
import { Callers } from './callers.ts'

it('a connection that has just ended belongs to no machine, and does not fail the change that asks for it', () => {
  const callers = new Callers({} as Tokens, {} as Sessions, {} as Controller)
  const socket = new TLSSocket(new Socket())
  socket.authorized = true
  socket.destroy()
  expect(callers.machineOf(socket)).toBeNull()
})
