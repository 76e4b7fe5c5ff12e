import type { Definition } from '../../definitions/definition.ts'
import type { CommandOrder, SignedContent } from '../../protocol/serviceOrders.ts'
import type { Controller } from '../controller.ts'
import { described } from './orders.ts'

interface Asked extends Pick<CommandOrder, 'id' | 'service' | 'instance' | 'argv' | 'terminal'> {
  machine: string
  release: string
  definition?: Definition
  generation: string | null
}

/** Signs that a machine is to run one command of a person, once; `{}`: this controller has no certificate. */
export function commandOrder(controller: Controller, asked: Asked): { order?: SignedContent } {
  const { machine, id, service, instance, argv, terminal, generation } = asked
  const sign = controller.signFor(machine)
  if (!sign) return {}
  const order: CommandOrder = {
    ...{ id, service, at: controller.now(), generation, instance, argv, terminal },
    program: described(controller.desired(machine), asked),
  }
  const content = JSON.stringify(order)
  return { order: { order: sign('command', { id, attempt: 0 }, content), content } }
}
