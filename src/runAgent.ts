import { readFileSync } from 'node:fs'
import { pino } from 'pino'
import { startAgent } from './agent/startAgent.ts'
import type { Programs } from './cli/programs.ts'
import { createNoneAddress } from './drivers/address/noneAddress.ts'
import type { BalancerDriver } from './drivers/balancer/balancer.ts'
import { createEmbeddedBalancer } from './drivers/balancer/embeddedBalancer.ts'
import { createProcessSupervisor } from './drivers/supervisor/process/processSupervisor.ts'
import { systemClock } from './lib/clock.ts'
import { defaultLastPerService } from './releases/storeCollection.ts'
import { untilStopped } from './untilStopped.ts'
import { readVersion } from './version.ts'

type Options = Parameters<Programs['runAgent']>[0]

/** The agent as a process, with the laptop's drivers: child processes and the balancer inside. Until a signal. */
export async function runAgent(options: Options): Promise<number> {
  const { machine, data, host, httpPort, tokenFile, ...rest } = options
  const logger = pino({ level: process.env['TANDEM_LOG'] ?? 'info', base: { machine } })
  const supervisor = createProcessSupervisor({ dir: `${data}/supervisor`, machine, clock: systemClock })
  if (supervisor.abilities.why) logger.warn(supervisor.abilities, 'limits are not all enforced here')
  const agent = await startAgent({
    ...{ ...rest, machine, data, host, logger, supervisor },
    token: readFileSync(tokenFile, 'utf8').trim(),
    keepLast: defaultLastPerService,
    version: readVersion(),
    address: createNoneAddress(),
    balancer: async (remembered) => {
      const log = (message: string, about: object): void => logger.info(about, message)
      const listen = async (forwardPort: number): Promise<BalancerDriver> => {
        const balancer = createEmbeddedBalancer({ host, httpPort, forwardPort, machine, clock: systemClock, log })
        await balancer.listen()
        return balancer
      }
      if (options.forwardPort !== 0) return listen(options.forwardPort)
      // The port of last time, so that peers need not learn another; any, when something else took it meanwhile.
      return listen(remembered).catch(() => listen(0))
    },
  })
  logger.info(agent.endpoints, 'the agent runs')
  process.send?.({ event: 'ready', machine, ...agent.endpoints })
  return untilStopped(logger, () => agent.close())
}
