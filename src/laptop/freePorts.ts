import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { OperatorError } from '../lib/operatorError.ts'

/** Returns the port, or a free one for 0. Throws `E_PORT_TAKEN`, which names the flag that sets another port. */
export async function claimPort(port: number, host: string, flag: string): Promise<number> {
  if (port > 65_535)
    throw new OperatorError('E_USAGE', `port ${port} is greater than 65535`, {
      subject: flag,
      next: `use a lower value for ${flag}`,
    })
  const server = createServer()
  try {
    server.listen({ port, host, exclusive: true })
    await once(server, 'listening')
    return (server.address() as AddressInfo).port // a listening TCP server has an address
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
  const what =
    code === 'EACCES' ? `your user may not listen on port ${port}` : `another process listens on port ${port}`
  return new OperatorError('E_PORT_TAKEN', what, {
    subject: `${host}:${port}`,
    next: `use another port: ${flag} PORT; ss -ltnp 'sport = :${port}'   shows which process listens`,
    cause: error,
  })
}
