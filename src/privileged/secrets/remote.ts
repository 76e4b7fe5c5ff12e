import { z } from 'zod'
import type { SecretsHost } from '../../drivers/secrets/secretsHost.ts'
import { noAnswer } from '../operation.ts'
import type { CallPrivileged } from '../privilegedClient.ts'

export const remoteSecrets = (call: CallPrivileged): SecretsHost => ({
  recipient: async () => null,
  services: () => call('secrets.services', {}, z.array(z.string())),
  held: (service) => call('secrets.held', { service }, z.array(z.string())),
  take: async (service, carried) => void (await call('secrets.take', { service, ...carried }, noAnswer)),
  has: (service, generation) => call('secrets.has', { service, generation }, z.boolean()),
})
