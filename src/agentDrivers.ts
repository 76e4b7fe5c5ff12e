import type { Logger } from 'pino'
import type { Programs } from './cli/programs.ts'
import type { Drivers } from './definitions/cluster.ts'
import type { AddressDriver } from './drivers/address/address.ts'
import { createNoneAddress } from './drivers/address/noneAddress.ts'
import type { BalancerDriver } from './drivers/balancer/balancer.ts'
import { createEmbeddedBalancer } from './drivers/balancer/embeddedBalancer.ts'
import { createProcessSupervisor } from './drivers/supervisor/process/processSupervisor.ts'
import type { SupervisorDriver } from './drivers/supervisor/supervisor.ts'
import type { AgentIdentity } from './agentIdentity.ts'
import { systemClock } from './lib/clock.ts'
import { OperatorError } from './lib/operatorError.ts'

type Options = Parameters<Programs['runAgent']>[0]

export interface AgentDrivers {
  supervisor: SupervisorDriver
  /** Given the forwarding port of last time, so that peers need not learn another. */
  balancer: (remembered: number) => Promise<BalancerDriver>
  address: AddressDriver
}

/** A laptop's, where the cluster file says nothing. */
const laptopDrivers: Drivers = { supervisor: 'process', balancer: 'embedded', address: 'none' }

/** The drivers of this machine, as the cluster file names them. */
export function agentDrivers(options: Options, { machine, joined }: AgentIdentity, logger: Logger): AgentDrivers {
  const { data, host, httpPort, forwardPort } = options
  const drivers = joined?.settings.drivers ?? laptopDrivers
  if (drivers.supervisor !== 'process') throw notBuilt('supervisor', drivers.supervisor, machine)
  if (drivers.balancer !== 'embedded') throw notBuilt('balancer', drivers.balancer, machine)
  if (drivers.address !== 'none') throw notBuilt('address', drivers.address, machine)
  return {
    supervisor: createProcessSupervisor({ dir: `${data}/supervisor`, machine, clock: systemClock }),
    address: createNoneAddress(),
    balancer: async (remembered) => {
      const log = (message: string, about: object): void => logger.info(about, message)
      const listen = async (port: number): Promise<BalancerDriver> => {
        const balancer = createEmbeddedBalancer({
          ...{ host, httpPort, forwardPort: port, machine, clock: systemClock, log },
        })
        await balancer.listen()
        return balancer
      }
      if (forwardPort !== 0) return listen(forwardPort)
      // Any, when something else took it meanwhile.
      return listen(remembered).catch(() => listen(0))
    },
  }
}

const notBuilt = (kind: string, driver: string, machine: string): OperatorError =>
  new OperatorError('E_DEFINITION', `this Tandem has no ${kind} driver ${driver}`, {
    subject: machine,
    next: `name another in cluster.yaml (drivers: { ${kind}: … }), then: tandem cluster apply`,
  })
