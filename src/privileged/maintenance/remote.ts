import { z } from 'zod'
import type { HostDriver } from '../../drivers/host/host.ts'
import { noAnswer as none } from '../operation.ts'
import type { CallPrivileged } from '../privilegedClient.ts'

const scriptState = z.union([
  z.object({ state: z.enum(['running', 'ok', 'unknown']) }),
  z.object({ state: z.literal('failed'), reason: z.string() }),
])

export const remoteHost = (call: CallPrivileged, bootMark: () => string): HostDriver => ({
  bootMark,
  begin: async (script, order) => void (await call('script.begin', { script, order }, none)),
  look: (script) => call('script.look', script, scriptState),
  forget: async (script) => void (await call('script.forget', script, none)),
  restart: async (order) => void (await call('machine.restart', { order }, none)),
})
