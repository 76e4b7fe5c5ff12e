import { z } from 'zod'
import { programContent } from '../../identity/order.ts'
import { downloadFolder } from '../../layout/dataFolder.ts'
import { agentUnit, privilegedUnit } from '../../layout/units.ts'
import { programFolder } from '../../lib/programFolder.ts'
import type { DesiredProgram } from '../../protocol/program.ts'
import { storedSource } from '../../releases/storedSource.ts'
import { createUnitControl } from '../../systemd/unitControl.ts'
import { RootProgramHost, type ProgramHost } from '../../versions/programHost.ts'
import type { HelperContext } from '../helperContext.ts'
import * as shape from '../instanceShape.ts'
import { noArguments, operation, type Operations } from '../operation.ts'
import { acceptedOrder, orderShape } from '../orders.ts'

export interface ProgramParts {
  /** Changes the program of the agent, then the program of the privileged helper. */
  programs: () => Promise<ProgramHost>
  /** Folder of the Tandem releases that the agent has fetched. */
  download: string
}

export function openPrograms({ data, programUnits }: HelperContext): ProgramParts {
  let opened: RootProgramHost | null = null
  return { programs: async () => (opened ??= await programHost(data, programUnits)), download: downloadFolder(data) }
}

const programShape = z.strictObject({
  key: shape.keyShape,
  release: shape.releaseShape.nullable(),
  version: z.string().max(100),
  order: orderShape,
})

export function programOperations(parts: ProgramParts & Pick<HelperContext, 'folder' | 'now'>): Operations {
  const { folder, now } = parts
  const programs = async (
    { order, ...program }: z.infer<typeof programShape>,
    work: (host: ProgramHost, program: DesiredProgram, order: string | null) => Promise<void>,
  ): Promise<void> => {
    const content = programContent(program)
    const accepted = acceptedOrder({ folder, kind: 'program', signed: order, content, now: now() })
    if (accepted.id !== program.key) throw new Error(`the order is meant for ${accepted.id}`)
    folder.remember('program', { ...accepted, mark: '', begun: true })
    await work(await parts.programs(), { ...program, isDue: true }, order)
  }
  return {
    'program.prepare': operation(
      programShape,
      (args) =>
        programs(args, async (host, program, order) => {
          await host.prepare(program, storedSource(parts.download), new AbortController().signal, order)
        }),
      'program',
    ),
    'program.begin': operation(
      programShape,
      (args) => programs(args, (host, program, order) => host.begin(program, order)),
      'program',
    ),
    'program.resume': operation(noArguments, async () => (await parts.programs()).resume(), 'program'),
    // Needs no order: it installs only what the program that the controller chose describes.
    'program.parts': operation(noArguments, async () => (await parts.programs()).changeParts(), 'program'),
    'program.confirm': operation(
      z.strictObject({ key: shape.keyShape }),
      async ({ key }) => (await parts.programs()).confirm(key),
      'program',
    ),
    'program.fail': operation(
      z.strictObject({ key: shape.keyShape, reason: z.string().max(2_000) }),
      async (failed) => (await parts.programs()).fail(failed),
      'program',
    ),
  }
}

const programHost = (data: string, others: readonly string[]): Promise<RootProgramHost> =>
  RootProgramHost.open({
    ...{ data, unit: agentUnit, units: createUnitControl(), isShared: true },
    beside: { unit: privilegedUnit, words: ['agent', 'privileged', '--data', data] },
    others,
    own: {
      ...{ folder: programFolder, node: process.execPath, options: process.execArgv },
      words: ['agent', 'run', '--data', data],
    },
  })
