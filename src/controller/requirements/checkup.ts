import { unchecked, wrong } from '../../doctor/findings.ts'
import { mergeCheckups } from '../../doctor/mergeCheckups.ts'
import type { Checkup, Finding } from '../../protocol/checkup.ts'
import { requirementsArea } from '../../protocol/requirements.ts'
import { lackingNow } from '../../rollout/requirements.ts'
import { definitionNow } from '../../rollout/serviceView.ts'
import type { Asks } from '../asks.ts'
import type { Controller } from '../controller.ts'
import { askRequirements } from './askRequirements.ts'

/** The controller's checkup, with everything that machines lack of what the releases on them require. */
export async function withLacks(own: Checkup, controller: Controller, asks: Asks): Promise<Checkup> {
  const { state } = controller
  const definitions = Object.keys(state.services)
    .map((service) => definitionNow(state, service))
    .filter((one) => one !== null)
  const findings = await Promise.all(
    definitions.map(async (definition): Promise<Finding[]> => {
      const answered = await askRequirements(controller, asks, definition)
      const silent = Object.keys(answered).filter((machine) => answered[machine] === null)
      return [
        ...lackingNow(state, definition, answered).map(({ what, next }) => wrong(requirementsArea, what, next)),
        ...silent.map((machine) =>
          unchecked(
            requirementsArea,
            `machine ${machine} did not say whether it has all that ${definition.service} requires`,
          ),
        ),
      ]
    }),
  )
  return mergeCheckups(own, { machine: own.machine, checked: [requirementsArea], findings: findings.flat() })
}
