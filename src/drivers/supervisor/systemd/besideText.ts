import type { Beside, InstanceSpec } from '../supervisor.ts'
import { companionText } from './companionUnit.ts'
import { stopLines } from './stopLines.ts'
import { unitName } from './unitName.ts'
import { execWithinMs, outputLines, recordLines, type UnitPlaces } from './unitText.ts'

/** An instance's spec that runs beside another one. */
export type BesideSpec = InstanceSpec & { beside: Beside }

export const isBeside = (spec: InstanceSpec): spec is BesideSpec => spec.beside !== undefined

/**
 * The unit of a program that a person runs beside an instance: a shell or one command. It is recorded like any one-off
 * program, so that the agent watches it, and the next agent ends it. `instanceText`: the text of the instance's unit.
 */
export function besideText(
  spec: BesideSpec,
  instanceText: string,
  { executable, environmentFile }: Pick<UnitPlaces, 'executable' | 'environmentFile'>,
): string {
  const { id, service, argv, beside } = spec
  const companion = companionText(unitName(service, beside.instance), instanceText, {
    ...{ name: id, unit: unitName(service, id), argv: [executable, ...argv.slice(1)] },
    own: [
      `EnvironmentFile=${environmentFile}`,
      'RemainAfterExit=yes',
      'Restart=no',
      `TimeoutStartSec=${execWithinMs}ms`,
      ...stopLines(spec),
      '',
      ...outputLines(spec),
    ],
  })
  return [companion, ...recordLines({ ...spec, env: beside.env }), ''].join('\n')
}
