import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Gauge } from 'prom-client'
import { isLocalHost } from '../lib/localHost.ts'
import { createServer } from '../lib/nodeHttp.ts'
import type { BalancerDriver } from '../drivers/balancer/balancer.ts'
import type { Agent } from './agent.ts'

interface Parts {
  agent: Agent
  balancer: BalancerDriver
  connected: () => boolean
}

/**
 * A web page whose host name resolves to this address (DNS rebinding) must not read the answer through a user's
 * browser.
 */
const foreignHost = 'the Host header does not name an address of this computer: use http://127.0.0.1:PORT\n'

/** Serves the agent's `/healthz` and `/metrics`, on loopback only. Every service on the machine can read them. */
export class AgentServer {
  #server: Server

  constructor(parts: () => Parts | null) {
    this.#server = createServer((request, response) => {
      if (!isLocalHost(request.headers.host)) return void response.writeHead(421).end(foreignHost)
      const path = request.url?.split('?')[0]
      const known = parts()
      if (path === '/healthz') {
        response.writeHead(known ? 200 : 503, { 'content-type': 'application/json' })
        response.end(JSON.stringify({ ok: known !== null, controller: known?.connected() ?? false }))
      } else if (path === '/metrics' && known) {
        agentMetrics(known).then(
          ({ contentType, text }) => response.writeHead(200, { 'content-type': contentType }).end(text),
          (error: unknown) => response.writeHead(500).end(String(error)),
        )
      } else {
        response.writeHead(404).end('not found: the agent serves /healthz and /metrics\n')
      }
    })
  }

  /** Listens on `port`, or on any free port if `port` is taken or 0. Returns the port. */
  async listen(port: number): Promise<number> {
    for (const wanted of [port, 0]) {
      try {
        this.#server.listen({ port: wanted, host: '127.0.0.1' })
        await once(this.#server, 'listening')
        break
      } catch (error) {
        if (wanted === 0) throw error
      }
    }
    return (this.#server.address() as AddressInfo).port // it listens on TCP
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }
}

async function agentMetrics({ agent, balancer, connected }: Parts): Promise<{ contentType: string; text: string }> {
  // Imported late: the module takes 8 MB, which only an agent whose metrics are read needs.
  const { Gauge, Registry } = await import('prom-client')
  const registry = new Registry()
  const gauge = <L extends string>(name: string, help: string, labelNames: L[] = []): Gauge<L> =>
    new Gauge({ name: `tandem_agent_${name}`, help, labelNames, registers: [registry] })
  gauge('controller_connected', '1 while the controller is connected').set(Number(connected()))
  gauge('desired_position', 'log position of the desired state that the agent obeys').set(agent.desired?.position ?? 0)
  gauge('resident_memory_bytes', 'resident memory of the agent').set(process.memoryUsage.rss())
  const cpu = process.cpuUsage()
  gauge('cpu_seconds', 'CPU time used by the agent').set((cpu.user + cpu.system) / 1e6)
  const up = gauge('instance_ready', '1 when the instance is ready', ['service', 'instance'])
  const restarts = gauge('instance_restarts', 'restarts after the process ended on its own', ['service', 'instance'])
  const work = gauge('instance_work', 'requests and connections in flight', ['service', 'instance'])
  for (const { id, definition, state, restarts: count } of agent.instances.values()) {
    const labels = { service: definition.service, instance: id }
    up.set(labels, Number(state === 'ready'))
    restarts.set(labels, count)
    work.set(labels, balancer.inFlight(id).work)
  }
  const counters = balancer.counters()
  const requests = gauge('requests', 'requests answered since the start', ['service', 'status'])
  for (const { service, statusClass, count } of counters.requests) requests.set({ service, status: statusClass }, count)
  const refused = gauge('refused', 'requests and connections refused since the start', ['reason'])
  for (const { reason, count } of counters.refused) refused.set({ reason }, count)
  gauge('retries', 'requests sent again to another instance').set(counters.retries)
  gauge('held', 'requests waiting for an instance').set(counters.held)
  gauge('open_connections', 'connections open at the entry').set(counters.openConnections)
  return { contentType: registry.contentType, text: await registry.metrics() }
}
