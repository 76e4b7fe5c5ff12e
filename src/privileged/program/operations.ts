import { z } from 'zod'
import { programContent } from '../../identity/order.ts'
import { downloadFolder } from '../../layout/dataFolder.ts'
import { agentUnit, controllerHelperUnit, controllerUnit, privilegedUnit } from '../../layout/units.ts'
import { programFolder } from '../../lib/programFolder.ts'
import { installedWords } from '../../parts/describeInstalled.ts'
import type { DesiredProgram } from '../../protocol/program.ts'
import { storedSource } from '../../releases/storedSource.ts'
import { createUnitControl } from '../../systemd/unitControl.ts'
import { programOf, runsIn } from '../../versions/ownProgram.ts'
import { RootProgramHost, type ProgramHost } from '../../versions/programHost.ts'
import type { HelperContext } from '../helperContext.ts'
import * as shape from '../instanceShape.ts'
import { noArguments, operation, type Operation, type Operations } from '../operation.ts'
import { acceptedOrder, orderShape } from '../orders.ts'

export interface ProgramParts {
  /** Changes the program of a part, then the program of its privileged helper. */
  programs: () => Promise<ProgramHost>
  /** Folder of the Tandem releases that the part has fetched. */
  download: string
}

/** For the agent. */
export function openPrograms({ data, programUnits, agentIsOld }: HelperContext): ProgramParts {
  // Only root can change the unit of the agent, and its program.
  const own = { folder: programFolder, node: process.execPath, options: [], words: [] }
  const units = createUnitControl()
  agentIsOld.push(() => {
    const command = units.command(agentUnit)
    return !runsIn(command, own) && !programOf(command, units.installedCommand(agentUnit)).passesOrders
  })
  const words = ['agent', 'run', '--data', data]
  return opened(data, { unit: agentUnit, words, helper: privilegedUnit, others: programUnits })
}

/** For the controller: its command line is the one in the text of its unit, which only root can write. */
export const openControllerPrograms = (data: string): ProgramParts =>
  opened(data, {
    unit: controllerUnit,
    words: installedWords(controllerUnit),
    helper: controllerHelperUnit,
    others: [],
  })

const programShape = z.strictObject({
  key: shape.keyShape,
  release: shape.releaseShape.nullable(),
  version: z.string().max(100),
  order: orderShape,
})

/** The agent may change only to a program that the controller has signed for this machine. */
export function programOperations(parts: ProgramParts & Pick<HelperContext, 'folder' | 'now'>): Operations {
  const { folder, now } = parts
  return operationsOf(parts, ({ order, ...program }) => {
    const content = programContent(program)
    const accepted = acceptedOrder({ folder, kind: 'program', signed: order, content, now: now() })
    if (accepted.id !== program.key) throw new Error(`the order is meant for ${accepted.id}`)
    folder.remember('program', { ...accepted, mark: '', begun: true })
  })
}

/** The controller signs the orders of all machines itself, so it needs none. */
export const controllerProgramOperations = (parts: ProgramParts): Operations => operationsOf(parts, () => {})

function operationsOf(
  { programs, download }: ProgramParts,
  accept: (args: z.infer<typeof programShape>) => void,
): Operations {
  const accepted = (
    work: (host: ProgramHost, program: DesiredProgram, order: string | null) => Promise<void>,
  ): Operation =>
    operation(
      programShape,
      async (args) => {
        accept(args)
        const { order, ...program } = args
        await work(await programs(), { ...program, isDue: true }, order)
      },
      'program',
    )
  return {
    'program.prepare': accepted((host, program, order) =>
      host.prepare(program, storedSource(download), new AbortController().signal, order),
    ),
    'program.begin': accepted((host, program, order) => host.begin(program, order)),
    'program.resume': operation(noArguments, async () => (await programs()).resume(), 'program'),
    // Needs no order: it installs only what the program that the controller chose describes.
    'program.parts': operation(noArguments, async () => (await programs()).changeParts(), 'program'),
    'program.confirm': operation(
      z.strictObject({ key: shape.keyShape }),
      async ({ key }) => (await programs()).confirm(key),
      'program',
    ),
    'program.fail': operation(
      z.strictObject({ key: shape.keyShape, reason: z.string().max(2_000) }),
      async (failed) => (await programs()).fail(failed),
      'program',
    ),
  }
}

interface Part {
  unit: string
  words: readonly string[]
  /** Unit of its privileged helper. */
  helper: string
  others: readonly string[]
}

function opened(data: string, part: Part): ProgramParts {
  let host: RootProgramHost | null = null
  return { programs: async () => (host ??= await programHost(data, part)), download: downloadFolder(data) }
}

const programHost = (data: string, { unit, words, helper, others }: Part): Promise<RootProgramHost> =>
  RootProgramHost.open({
    ...{ data, unit, units: createUnitControl(), isShared: true, others },
    beside: { unit: helper, words: [words[0] ?? '', 'privileged', '--data', data] },
    own: { folder: programFolder, node: process.execPath, options: process.execArgv, words },
  })
