import { connect } from 'node:net'

/** The table answers here in its own way. No service gets an address that ends in .0 (`loopbackOf`). */
export const canary = { address: '127.77.0.0', port: 1 } as const
const patienceMs = 1_000

/** Whether our table is in the kernel, found out without rights: without it, the connection is refused. */
export const canarySings = (): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host: canary.address, port: canary.port, timeout: patienceMs })
    const say = (sings: boolean): void => {
      socket.destroy()
      resolve(sings)
    }
    socket.on('connect', () => say(false))
    socket.on('timeout', () => say(false))
    socket.on('error', (error: NodeJS.ErrnoException) => say(error.code === 'EHOSTUNREACH'))
  })
