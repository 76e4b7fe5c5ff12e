import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { OperatorError } from '../../lib/operatorError.ts'

/** The port itself, or for 0 a free one. `E_PORT_TAKEN` says which flag chooses another. */
export async function claimPort(port: number, host: string, flag: string): Promise<number> {
  if (port > 65_535)
    throw new OperatorError('E_USAGE', `there is no port ${port}`, { subject: flag, next: `lower ${flag}` })
  const server = createServer()
  try {
    server.listen({ port, host, exclusive: true })
    await once(server, 'listening')
    return (server.address() as AddressInfo).port // it listens on a port
  } catch (error) {
    throw refusal(error, port, host, flag)
  } finally {
    if (server.listening) {
      server.close()
      await once(server, 'close')
    }
  }
}

function refusal(error: unknown, port: number, host: string, flag: string): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : ''
  if (code !== 'EADDRINUSE' && code !== 'EACCES') return error
  const what = code === 'EACCES' ? `your user may not listen on port ${port}` : `something else listens on port ${port}`
  return new OperatorError('E_PORT_TAKEN', what, {
    subject: `${host}:${port}`,
    next: `choose another with ${flag} PORT; ss -ltnp 'sport = :${port}' shows what has it`,
    cause: error,
  })
}
