import { OperatorError } from '../../lib/operatorError.ts'
import { isLoopback } from '../../lib/localHost.ts'
import type { BalancerDriver } from './balancer.ts'
import type { createEmbeddedBalancer } from './embeddedBalancer.ts'

interface Opening extends Omit<Parameters<typeof createEmbeddedBalancer>[0], 'forwardPort'> {
  /** 0: take the port of the last run, or any free one. */
  forwardPort: number
  /** Forwarding port of the last run, so that peers need not learn a new port. */
  remembered: number
  /** Address at which machines on other computers reach this one; `null`: all machines are on this computer. */
  address: string | null
}

/** Opens the embedded balancer and listens. */
export async function openEmbedded({ remembered, address, ...options }: Opening): Promise<BalancerDriver> {
  if (address !== null && !isLoopback(options.host)) throw inTheClear(address, options.machine)
  // Imported here because its HTTP client is most of an agent's code, and an agent with HAProxy does not need it.
  const { createEmbeddedBalancer } = await import('./embeddedBalancer.ts')
  const listen = async (forwardPort: number): Promise<BalancerDriver> => {
    const balancer = createEmbeddedBalancer({ ...options, forwardPort })
    await balancer.listen()
    return balancer
  }
  if (options.forwardPort !== 0) return listen(options.forwardPort)
  // Takes any free port if another process has taken the remembered one.
  return listen(remembered).catch(() => listen(0))
}

const inTheClear = (address: string, machine: string): OperatorError =>
  new OperatorError('E_DEFINITION', `the balancer "embedded" would forward without encryption from ${address}`, {
    subject: machine,
    next: 'that balancer is only for machines on one computer; write drivers: { balancer: haproxy } into cluster.yaml and apply it',
  })
