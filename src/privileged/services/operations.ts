import { z } from 'zod'
import type { DataFolders } from '../../drivers/supervisor/dataFolders.ts'
import type { InstanceSpec } from '../../drivers/supervisor/supervisor.ts'
import { readSecrets } from '../../drivers/supervisor/serviceSecrets.ts'
import { listUnits, type UnitRecord } from '../../drivers/supervisor/systemd/unitFiles.ts'
import { isEmpty } from '../../drivers/supervisor/systemd/stopUnit.ts'
import type { UnitHost } from '../../drivers/supervisor/systemd/unitHost.ts'
import { unitName } from '../../drivers/supervisor/systemd/unitName.ts'
import * as shape from '../instanceShape.ts'
import type { UnitExtra } from '../unitExtra.ts'
import { refuseJail } from '../jailPermits.ts'
import { noArguments, operation, type Operations } from '../operation.ts'
import { ownUnit } from '../ownUnits.ts'
import { refused, type AcceptedOrders } from './acceptedOrders.ts'
import type { OnceStarted } from './onceStarted.ts'
import type { OrderedPrograms } from './orderedPrograms.ts'

export interface ServiceParts {
  units: UnitHost
  unitFolder: string
  isOwnUnit: (unit: string) => boolean
  /** The folder of a release on this machine, whether it exists or not. */
  releaseFolder: (release: string) => string
  /** Where an agent made it, before the helper did. */
  formerFolder: (release: string) => string
  /** Whether the unit of the agent runs a version that passes no orders on, as in the middle of an upgrade. */
  isAgentOld: () => boolean
  orders: AcceptedOrders
  programs: Pick<OrderedPrograms, 'spec'>
  onceStarted: OnceStarted
  secrets: string
  permits: string
  data: DataFolders
  unitExtras: readonly UnitExtra[]
}

const oneUnit = z.strictObject({ unit: shape.unitShape })
/** Timeout for a unit that is removed while it runs, in addition to the unit's own timeout. */
const removalStopMs = 120_000
const unitWithin = z.strictObject({ unit: shape.unitShape, timeoutMs: shape.timeoutShape })

/** Units of instances, and data folders of services. */
export const serviceOperations = (parts: ServiceParts): Operations => ({
  ...unitOperations(parts),
  ...dataOperations(parts),
})

const unsigned = 'the order is not signed by the controller'
const turnOf = ({ unit }: { unit: string }): string => `unit ${unit}`
const turnOfProgram = ({ service, id }: { service: string; id: string }): string =>
  turnOf({ unit: unitName(service, id) })

function unitOperations(parts: ServiceParts): Operations {
  const { units, unitFolder, isOwnUnit, onceStarted } = parts
  const existing = (unit: string): UnitRecord | null => ownUnit(unitFolder, unit, isOwnUnit)
  // An older controller signs nothing, and an older agent passes no order on; neither knows secrets. From the first order
  // on, no agent of this version starts anything else.
  const mayBeUnsigned = (): boolean => !parts.orders.areDemanded || parts.isAgentOld()
  const mustBeOwn = ({ service, id }: Pick<InstanceSpec, 'service' | 'id'>): void => {
    const unit = unitName(service, id)
    const before = existing(unit)
    if (before && (before.service !== service || before.id !== id))
      throw new Error(`${unit} belongs to instance ${before.id} of ${before.service}`)
  }
  const write = async (spec: InstanceSpec): Promise<void> => {
    if (spec.beside) {
      if (!spec.once || !spec.attached) throw new Error('only a one-off program runs beside an instance')
      await units.write(spec)
      return onceStarted.forget(unitName(spec.service, spec.id))
    }
    await refuseJail(spec.service, spec.jail, parts.permits)
    const env = { ...spec.env, ...readSecrets(parts.secrets, spec.service) }
    const credentials = parts.unitExtras.flatMap(({ attach }) => attach(unitName(spec.service, spec.id), spec))
    await units.write({ ...spec, env }, credentials)
    onceStarted.forget(unitName(spec.service, spec.id))
  }
  return {
    'program.write': operation(
      z.strictObject({
        ...{ id: shape.instanceIdShape, service: shape.serviceShape, attached: z.boolean() },
        use: z.enum(['instance', 'prepare', 'health', 'command', 'beside']),
        port: shape.portShape.nullable(),
        order: shape.carriedShape,
      }),
      async (asked) => {
        mustBeOwn(asked)
        await write(parts.programs.spec(asked))
      },
      turnOfProgram,
    ),
    'unit.write': operation(
      shape.unsignedShape,
      async ({ spec }) => {
        mustBeOwn(spec)
        if (spec.secrets || !mayBeUnsigned()) throw refused(spec.service, unsigned)
        const { cwd = parts.releaseFolder(spec.release) } = spec
        if (spec.cwd !== undefined && spec.cwd !== parts.formerFolder(spec.release))
          throw new Error(`${spec.cwd} is not the folder of the instance's release`)
        await write({ ...spec, cwd })
      },
      ({ spec }) => turnOfProgram(spec),
    ),
    'unit.start': operation(
      unitWithin,
      async ({ unit, timeoutMs }) => {
        const record = existing(unit)
        if (record === null) return `unit ${unit} does not exist`
        if (!record.isSigned && !mayBeUnsigned()) throw refused(record.service, unsigned)
        // The same request may come again, after the helper was killed.
        if (record.once && !onceStarted.take(unit))
          return isEmpty(record) ? `unit ${unit} has been started before, and runs once` : null
        const said = await units.start(unit, timeoutMs)
        return said === null ? null : ((await whyBroken(parts.unitExtras, record.service)) ?? said)
      },
      turnOf,
    ),
    // Not queued: a stop must end a start that waits.
    'unit.stop': operation(unitWithin, async ({ unit, timeoutMs }) => {
      if (existing(unit) !== null) await units.stop(unit, timeoutMs)
    }),
    'unit.resetFailed': operation(oneUnit, async ({ unit }) => {
      if (existing(unit) !== null) await units.resetFailed(unit)
    }),
    'unit.remove': operation(
      oneUnit,
      async ({ unit }) => {
        // A running unit must keep its file: the check before its data is removed finds the unit by this file.
        if (existing(unit) !== null) await units.stop(unit, removalStopMs)
        await units.remove(unit)
        onceStarted.forget(unit)
        for (const { detach } of parts.unitExtras) detach(unit)
      },
      turnOf,
    ),
    'units.reload': operation(noArguments, () => units.reload()),
    'journal.sync': operation(noArguments, () => units.syncJournal()),
    'socket.isOf': operation(
      z.strictObject({ unit: shape.unitShape, group: shape.groupShape, port: shape.portShape }),
      async ({ unit, group, port }) => {
        if (existing(unit) === null || !group.endsWith(`/${unit}`)) return false
        return units.listens(unit, group, port)
      },
    ),
    'terminal.resize': operation(
      z.strictObject({ unit: shape.unitShape, group: shape.groupShape, size: shape.terminalSizeShape }),
      async ({ unit, group, size }) => {
        if (existing(unit)?.once === true && group.endsWith(`/${unit}`)) await units.resize(unit, group, size)
      },
    ),
    'socket.owner': operation(z.strictObject({ port: shape.portShape }), ({ port }) => units.whoOwns(port)),
  }
}

/** Why a feature's share in a unit keeps it from starting; `null`: it does not. */
async function whyBroken(extras: readonly UnitExtra[], service: string): Promise<string | null> {
  for (const { explain } of extras) {
    const reason = await explain?.(service)
    if (reason) return reason
  }
  return null
}

function dataOperations({ data, unitFolder }: ServiceParts): Operations {
  return {
    'data.remove': operation(
      z.strictObject({ service: shape.serviceShape }),
      async ({ service }) => {
        // A process of that service could replace a folder by a link during the removal.
        const user = listUnits(unitFolder).find((unit) => unit.service === service)
        if (user) throw new Error(`${user.unit} still uses the data of ${service}`)
        await data.remove(service)
      },
      'data',
    ),
    'data.sweep': operation(
      noArguments,
      async () => {
        const names = listUnits(unitFolder).map(({ service }) => service)
        // Data left by a service that runs again is removed at a later start at which the service does not run.
        if (names.length === 0) await data.sweep()
      },
      'data',
    ),
  }
}
