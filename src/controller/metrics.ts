import { Gauge, Registry } from 'prom-client'
import type { Controller } from './controller.ts'
import { statusView } from './statusView.ts'

/** The controller's metrics in Prometheus' text format. Built again for each scrape, so that they cannot be stale. */
export async function controllerMetrics(
  controller: Controller,
  connected: string[],
): Promise<{ contentType: string; text: string }> {
  const registry = new Registry()
  const gauge = <L extends string>(name: string, help: string, labelNames: L[] = []): Gauge<L> =>
    new Gauge({ name: `tandem_${name}`, help, labelNames, registers: [registry] })
  const status = statusView(controller)
  gauge('log_position', 'position of the last event').set(status.controller.position)
  gauge('term', 'number of the leadership').set(status.controller.term)
  gauge('agents_connected', 'agents with an open stream').set(connected.length)
  gauge('rollouts_running', 'rollouts in progress').set(status.services.filter(({ rollout }) => rollout).length)
  gauge('resident_memory_bytes', 'resident memory of the controller').set(process.memoryUsage.rss())
  const machines = gauge('machine', '1 for the state a machine is in', ['machine', 'state'])
  for (const { name, state } of status.machines) machines.set({ machine: name, state }, 1)
  const instances = gauge('instances', 'instances by service, machine and state', ['service', 'machine', 'state'])
  for (const { service, instances: all } of status.services) {
    for (const { machine, state } of all) instances.inc({ service, machine, state })
  }
  return { contentType: registry.contentType, text: await registry.metrics() }
}
