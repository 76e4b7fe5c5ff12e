import type { FastifyInstance } from 'fastify'
import type { Rooms } from '../handlers.ts'

/** The backup of the secrets, which is not JSON. */
export function addBackup(api: FastifyInstance, { backups, callers }: Pick<Rooms, 'backups' | 'callers'>): void {
  api.get('/secrets-backup', { schema: { hide: true } }, async (request, reply) => {
    const { name } = callers.identify(request, 'operator')
    return reply.type('application/octet-stream').send(await backups.stream(name))
  })
}
