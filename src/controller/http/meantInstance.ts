import { instancesOf } from '../../fleet/serving.ts'
import { prepareInstance } from '../../definitions/names.ts'
import { oneOf } from '../../lib/oneOf.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import type { Asks } from '../asks.ts'
import type { Controller } from '../controller.ts'

interface Asked {
  service: string
  /** An instance id, or a prefix of one. */
  instance: string
  machines: readonly string[]
  signal: AbortSignal
}

/**
 * Finds the id of the instance that the user means. A prefix finds an instance that exists. An instance that is gone
 * needs its whole id, and a machine that still keeps lines of it. Throws `E_NO_SUCH_INSTANCE` when every machine was
 * asked and none keeps lines of it.
 */
export async function meantInstance(controller: Controller, asks: Asks, asked: Asked): Promise<string> {
  const { service, instance } = asked
  const ids = instancesOf(controller.state, service).map(({ id }) => id)
  const found = oneOf(instance, ids, 'instances')
  if (found !== null) return found
  // `prepare` may not have written anything yet.
  if (preparesOf(controller, service).includes(instance)) return instance
  const kept = await Promise.all(asked.machines.map((machine) => keepsLines(controller, asks, machine, asked)))
  if (kept.includes('yes') || kept.includes('not known')) return instance
  throw new OperatorError(
    'E_NO_SUCH_INSTANCE',
    `no machine has an instance ${instance} of ${service}, or output of it`,
    {
      subject: instance,
      next: ids.length > 0 ? `instances: ${ids.join(', ')}` : `tandem status ${service}`,
    },
  )
}

const preparesOf = ({ state }: Controller, service: string): string[] =>
  Object.values(state.rollouts)
    .filter((rollout) => rollout.service === service && rollout.prepare !== null)
    .map(({ id }) => prepareInstance(service, id))

async function keepsLines(
  controller: Controller,
  asks: Asks,
  machine: string,
  { service, instance, signal }: Asked,
): Promise<'yes' | 'no' | 'not known'> {
  const ask = { kind: 'logs', id: controller.newId(), service, instance, since: null, last: 1, follow: false } as const
  try {
    let kept: 'yes' | 'no' | 'not known' = 'no'
    for await (const { kind } of asks.ask(machine, ask, signal)) {
      if (kind === 'line') kept = 'yes'
      if (kind === 'error' && kept === 'no') kept = 'not known'
    }
    return kept
  } catch (error) {
    if (error instanceof OperatorError) return 'not known' // the machine is unreachable: its lines come when it is back
    throw error
  }
}
