import { pino } from 'pino'
import { ApiClient } from '../../api/client.ts'
import { createEmbeddedBalancer } from '../../drivers/balancer/embeddedBalancer.ts'
import { createProcessSupervisor } from '../../drivers/supervisor/process/processSupervisor.ts'
import { systemClock } from '../../lib/clock.ts'
import { bareFeatures } from './bareFeatures.ts'
import { startAgent } from '../startAgent.ts'

// A whole agent as a separate process, for tests that kill it: `node agentProcess.ts DATA FIRST-PORT`. Has no
// controller.
const [data = '', firstPort = ''] = process.argv.slice(2)
const first = Number(firstPort)
const client = new ApiClient({ url: 'http://127.0.0.1:9', token: 'x'.repeat(20) })
const agent = await startAgent({
  ...{ machine: 'a', client, data, host: '127.0.0.1', metricsPort: 0, tcpOffset: 0 },
  ...{ ports: { first, last: first + 49 }, secretsFolder: `${data}/env`, cacheCapBytes: null, keepLast: 5 },
  ...{ version: '0', logger: pino({ level: 'silent' }) },
  bootMark: () => '',
  features: await bareFeatures(),
  examine: async () => ({ machine: 'a', checked: [], findings: [] }),
  supervisor: createProcessSupervisor({ dir: `${data}/supervisor`, machine: 'a', clock: systemClock }),
  balancer: async (forwardPort) => {
    const balancer = createEmbeddedBalancer({
      ...{ host: '127.0.0.1', httpPort: 0, forwardPort, machine: 'a', clock: systemClock },
    })
    await balancer.listen()
    return balancer
  },
})
process.on('SIGTERM', () => {
  agent.close().then(
    () => process.exit(0),
    () => process.exit(1),
  )
})
console.log(JSON.stringify(agent.endpoints))
