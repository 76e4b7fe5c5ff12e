import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { AddressHost } from '../drivers/address/keepalived/addressHost.ts'
import type { HostDriver } from '../drivers/host/host.ts'
import type { DataFolders } from '../drivers/supervisor/dataFolders.ts'
import { readSecrets } from '../drivers/supervisor/serviceSecrets.ts'
import { listUnits, type UnitRecord } from '../drivers/supervisor/systemd/unitFiles.ts'
import type { UnitHost } from '../drivers/supervisor/systemd/unitHost.ts'
import { unitName } from '../drivers/supervisor/systemd/unitName.ts'
import { checkAddresses, keepalivedShape } from './addressShape.ts'
import * as shape from './instanceShape.ts'
import { refuseJail } from './jailPermits.ts'
import { beginScript, lookAtScript, forgetScript, restartMachine, scriptShape, orderShape } from './maintenance.ts'
import { agentSelfSchema, type AgentSelf, type Checkup } from '../protocol/checkup.ts'
import { machineSettingsSchema, type MachineSettings } from '../definitions/machineSettings.ts'
import type { DesiredProgram } from '../protocol/program.ts'
import { storedSource } from '../releases/storedSource.ts'
import type { ProgramHost } from '../versions/programHost.ts'
import { KeyedQueue } from '../lib/keyedQueue.ts'
import { programContent, settingsContent } from '../identity/order.ts'
import { acceptedOrder } from './orders.ts'
import { ownUnit } from './ownUnits.ts'
import type { KnownMachine, RootFolder } from './rootFolder.ts'

/** Everything the privileged helper works with. */
export interface RootParts {
  folder: RootFolder
  units: UnitHost
  unitFolder: string
  /** Holds the folder of each release on this machine, by the release's id. */
  releases: string
  secrets: string
  permits: string
  data: DataFolders
  addresses: AddressHost
  addressScript: (known: KnownMachine, script: 'take' | 'release', addresses: readonly string[]) => Promise<void>
  host: HostDriver
  haproxy: { start: () => Promise<void>; copyCertificates: () => Promise<void> }
  /** Changes the program of the agent, then the program of the privileged helper. */
  programs: () => Promise<ProgramHost>
  /** Folder of the Tandem releases that the agent has fetched. */
  download: string
  /** Examines this machine without changing anything. */
  examine: (self: AgentSelf, settings: MachineSettings | null) => Promise<Checkup>
  now: () => number
}

interface Operation {
  shape: z.ZodType
  run: (args: never) => Promise<unknown>
  /** Operations with the same key run one after the other, in order of arrival; `null` runs at once. */
  turn: (args: never) => string | null
}

/** Typed together, so that `run` gets exactly the values that `shape` has accepted. */
const operation = <T>(
  of: z.ZodType<T>,
  run: (args: T) => Promise<unknown>,
  turn: string | ((args: T) => string) | null = null,
): Operation => ({ shape: of, run, turn: typeof turn === 'function' ? turn : () => turn })

const nothing = z.strictObject({})
const settingsShape = z.strictObject({
  address: z.string().max(300),
  addresses: z.array(z.string().max(100)).max(100),
  order: orderShape,
})
const programShape = z.strictObject({
  key: shape.keyShape,
  release: shape.releaseShape.nullable(),
  version: z.string().max(100),
  order: orderShape,
})
const scriptArguments = z.strictObject({
  script: z.enum(['take', 'release']),
  addresses: z.array(z.string().max(100)).max(100),
})
const examineShape = z.strictObject({ self: agentSelfSchema, settings: machineSettingsSchema.nullable() })
const oneUnit = z.strictObject({ unit: shape.unitShape })
/** Timeout for a unit that is removed while it runs, in addition to the unit's own timeout. */
const removalStopMs = 120_000
const unitWithin = z.strictObject({ unit: shape.unitShape, timeoutMs: shape.timeoutShape })

/**
 * All operations that the unprivileged agent may request from the privileged helper. There is nothing else: no text of
 * a unit or of a configuration, no unchecked path, no command. docs/decisions/012-least-privilege.md explains why each
 * is harmless.
 */
export function operations(parts: RootParts): Record<string, Operation> {
  return {
    ...unitOperations(parts),
    ...dataOperations(parts),
    ...networkOperations(parts),
    ...machineOperations(parts),
    ...programOperations(parts),
  }
}

const turnOf = ({ unit }: { unit: string }): string => `unit ${unit}`

function unitOperations(parts: RootParts): Record<string, Operation> {
  const { units, unitFolder } = parts
  const existing = (unit: string): UnitRecord | null => ownUnit(unitFolder, unit)
  return {
    'unit.write': operation(
      z.strictObject({ spec: shape.instanceShape, executable: shape.executableShape }),
      async ({ spec, executable }) => {
        const unit = unitName(spec.service, spec.id)
        const before = existing(unit)
        if (before && (before.service !== spec.service || before.id !== spec.id))
          throw new Error(`${unit} belongs to instance ${before.id} of ${before.service}`)
        if (spec.cwd !== join(parts.releases, spec.release))
          throw new Error(`${spec.cwd} is not the folder of the instance's release`)
        await refuseJail(spec.service, spec.jail, parts.permits)
        const env = { ...spec.env, ...readSecrets(parts.secrets, spec.service) }
        await units.write({ ...spec, env }, executable)
      },
      ({ spec }) => turnOf({ unit: unitName(spec.service, spec.id) }),
    ),
    'unit.start': operation(
      unitWithin,
      async ({ unit, timeoutMs }) => {
        if (existing(unit) === null) return `unit ${unit} does not exist`
        return units.start(unit, timeoutMs)
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
      },
      turnOf,
    ),
    'units.reload': operation(nothing, () => units.reload()),
    'journal.sync': operation(nothing, () => units.syncJournal()),
    'socket.isOf': operation(
      z.strictObject({ unit: shape.unitShape, group: shape.groupShape, port: shape.portShape }),
      async ({ unit, group, port }) => {
        if (existing(unit) === null || !group.endsWith(`/${unit}`)) return false
        return units.listens(unit, group, port)
      },
    ),
    'socket.owner': operation(z.strictObject({ port: shape.portShape }), ({ port }) => units.whoOwns(port)),
  }
}

function dataOperations({ data, unitFolder }: RootParts): Record<string, Operation> {
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
      nothing,
      async () => {
        const names = listUnits(unitFolder).map(({ service }) => service)
        // Data left by a service that runs again is removed at a later start at which the service does not run.
        if (names.length === 0) await data.sweep()
      },
      'data',
    ),
  }
}

function networkOperations({ addresses, haproxy, folder, addressScript }: RootParts): Record<string, Operation> {
  return {
    'addresses.install': operation(
      keepalivedShape,
      async ({ settings, haproxy: socket }) => {
        checkAddresses(settings, folder.readMachine())
        await addresses.install(settings, socket)
      },
      'addresses',
    ),
    'addresses.remove': operation(nothing, () => addresses.remove(), 'addresses'),
    'addresses.script': operation(
      scriptArguments,
      async ({ script, addresses: virtual }) => {
        const known = folder.readMachine()
        const foreign = virtual.find((one) => !known.addresses.includes(one))
        if (foreign !== undefined) throw new Error(`${foreign} is not an address of the cluster file`)
        await addressScript(known, script, virtual)
      },
      'address script',
    ),
    'haproxy.start': operation(nothing, () => haproxy.start(), 'haproxy'),
    'haproxy.certificates': operation(nothing, () => haproxy.copyCertificates(), 'haproxy'),
  }
}

function machineOperations(parts: RootParts): Record<string, Operation> {
  const { folder, now } = parts
  return {
    'settings.take': operation(
      settingsShape,
      async ({ address, addresses: virtual, order }) => {
        const known = folder.readMachine()
        const content = settingsContent({ address, addresses: virtual })
        const accepted = acceptedOrder({ folder, kind: 'settings', signed: order, content, now: now() })
        folder.writeMachine({ ...known, address, addresses: virtual })
        folder.remember('settings', { ...accepted, mark: '', begun: true })
      },
      'settings',
    ),
    'machine.examine': operation(examineShape, ({ self, settings }) => parts.examine(self, settings)),
    'script.begin': operation(
      z.strictObject({ script: scriptShape, order: orderShape }),
      (args) => beginScript(parts, args),
      'script',
    ),
    'script.look': operation(scriptShape, (script) => lookAtScript(parts, script)),
    'script.forget': operation(scriptShape, (script) => forgetScript(parts, script), 'script'),
    'machine.restart': operation(
      z.strictObject({ order: orderShape }),
      (args) => restartMachine(parts, args),
      'script',
    ),
  }
}

function programOperations(parts: RootParts): Record<string, Operation> {
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
    'program.resume': operation(nothing, async () => (await parts.programs()).resume(), 'program'),
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

const argumentChars = 200

/** Looks up an operation, checks its arguments, and runs it in order. */
export function performer(parts: RootParts): (name: string, args: unknown) => Promise<unknown> {
  const table = new Map(Object.entries(operations(parts)))
  const queue = new KeyedQueue()
  return async (name, args) => {
    const found = table.get(name)
    if (!found) throw new Error(`unknown operation ${JSON.stringify(name.slice(0, argumentChars))}`)
    if (!existsSync(parts.folder.path)) throw new Error(`${parts.folder.path} does not exist`)
    parts.folder.check()
    const checked = found.shape.safeParse(args)
    if (!checked.success)
      throw new Error(`invalid arguments of ${name}: ${z.prettifyError(checked.error).slice(0, 1_000)}`)
    const given = checked.data as never // has the type that `run` takes: see `operation`
    const turn = found.turn(given)
    return turn === null ? found.run(given) : queue.run(turn, () => found.run(given))
  }
}
