import { passingUnits, standingUnits } from '../layout/units.ts'
import type { HungFeature, OwnFeatures } from '../agent/features.ts'
import type { FeatureExaminations } from '../examine/featureExamination.ts'
import type { FeatureJoining } from '../installation/joinMachine.ts'
import type { FeatureLeaving } from '../installation/leaveMachine.ts'
import type { HelperContext } from '../privileged/helperContext.ts'
import type { Operations } from '../privileged/operation.ts'
import type { CallPrivileged } from '../privileged/privilegedClient.ts'
import { OperatorError } from '../lib/operatorError.ts'
import type { ReportSlices } from '../protocol/report.ts'
import { addresses } from './addresses.ts'
import { config } from './config.ts'
import { files } from './files.ts'
import { firewall } from './firewall.ts'
import { haproxy } from './haproxy.ts'
import type { MachineSide, Making } from './machineSide.ts'
import { maintenance } from './maintenance.ts'
import { names } from './names.ts'
import { program } from './program.ts'
import { secrets } from './secrets.ts'
import { services } from './services.ts'
import { settings } from './settings.ts'

/**
 * Here a feature hangs in everything that it has on a machine. In this order, features take a desired state, after those
 * that run the services. The privileged helper accepts only addresses that it knows from the settings.
 */
const table = [
  services,
  haproxy,
  maintenance,
  settings,
  addresses,
  names,
  firewall,
  secrets,
  config,
  files,
  program,
] as const

const sides: readonly MachineSide[] = table

type Side = (typeof table)[number]
type DriversOf<S> = S extends { drivers: (making: Making) => Promise<infer Made> } ? Made : never
type Merged<Union> = (Union extends unknown ? (one: Union) => void : never) extends (all: infer All) => void
  ? All
  : never

type AgentOf<S> = S extends { agent: () => Promise<infer Hang> } ? Hang : never
type NeedsOf<Hang> = Hang extends (drivers: infer Needed) => unknown ? Needed : never
type SliceOf<F> = F extends { report: () => infer Slice } ? keyof Slice : never
type MadeBy<Hang> = Hang extends (drivers: never) => { make: (parts: never) => infer Made } ? Awaited<Made> : never

type Unreported = Exclude<keyof ReportSlices, SliceOf<OwnFeatures[keyof OwnFeatures]> | SliceOf<MadeBy<AgentOf<Side>>>>

/** The compiler objects to a slice of the report that no feature of the agent makes. */
export const everySliceIsReported: [Unreported] extends [never] ? true : Unreported = true

/** The drivers of all features. */
export type FeatureDrivers = Merged<DriversOf<Side>>

export async function featureDrivers(making: Omit<Making, 'confines'>): Promise<FeatureDrivers> {
  const confining = await Promise.all(sides.map(async (side) => side.confines?.()))
  const confines = (): boolean => confining.some((does) => does?.() === true)
  const made = await Promise.all(sides.map(async (side) => side.drivers?.({ ...making, confines })))
  return Object.assign({}, ...made) as FeatureDrivers // the sum of what the table's entries make
}

/** Loads the features' parts of the agent. The function that it yields hangs them in, with their drivers. */
export async function loadAgentFeatures(): Promise<(drivers: Merged<NeedsOf<AgentOf<Side>>>) => HungFeature[]> {
  const loaded = await Promise.all(sides.map(async (side) => side.agent?.()))
  // The type of `drivers` is what all of them need.
  return (drivers) => loaded.flatMap((hang) => hang?.(drivers as never) ?? [])
}

/**
 * All operations that the unprivileged agent may request from the privileged helper. There is nothing else: no text of
 * a unit or of a configuration, no unchecked path, no command. docs/decisions/012-least-privilege.md explains why each
 * is harmless.
 */
export async function helperOperations(context: HelperContext): Promise<Operations> {
  const { examineOperations } = await import('../privileged/examine.ts')
  const all = await Promise.all(sides.map(async (side) => side.operations?.(context)))
  return Object.assign(examineOperations(context), ...all) as Operations // each is one
}

type ControllerDriversOf<S> = S extends { controller: { drivers: (...of: never) => Promise<infer Made> } }
  ? Made
  : never

/** The drivers of all features that the controller works with. */
export async function controllerDrivers(
  root: CallPrivileged | null,
  data: string,
): Promise<Merged<ControllerDriversOf<Side>>> {
  const made = await Promise.all(sides.map(async ({ controller }) => controller?.drivers?.(root, data)))
  return Object.assign({}, ...made) as Merged<ControllerDriversOf<Side>> // their sum
}

/** All operations that the controller may request from its privileged helper. */
export async function controllerOperations(data: string): Promise<Operations> {
  const all = await Promise.all(sides.map(async ({ controller }) => controller?.operations?.(data)))
  return Object.assign({}, ...all) as Operations // each is one
}

type HereOf<S> = S extends { here: infer Work } ? Work : never

/** Work of commands on this computer itself. */
export const workHere = Object.assign({}, ...sides.map(({ here }) => here)) as Merged<HereOf<Side>> // their sum

export const joinings: readonly FeatureJoining[] = sides.flatMap(({ joining }) => joining ?? [])

export const leavings: readonly FeatureLeaving[] = sides.flatMap(({ leaving }) => leaving ?? [])

/** How a unit of Tandem itself runs; `null`: the unit is an instance, or does not belong to Tandem. */
export function ownUnitKind(unit: string): 'standing' | 'passing' | null {
  if (standingUnits.includes(unit) || sides.some(({ units }) => units?.standing?.includes(unit))) return 'standing'
  return passingUnits.includes(unit) || sides.some(({ units }) => units?.isPassing?.(unit)) ? 'passing' : null
}

export const examinations: FeatureExaminations = {
  all: sides.flatMap(({ examination }) => examination ?? []),
  kindOf: ownUnitKind,
}

const programs = Object.assign({}, ...sides.map((side) => side.programs)) as NonNullable<MachineSide['programs']> // their sum

/** Units that run a program of Tandem beside agent and helper. */
export const programUnits: readonly string[] = Object.values(programs).flatMap(({ unit }) => unit ?? [])

/** Runs a feature's own program until a signal. */
export function runProgram(name: string, options: { data: string }): Promise<number> {
  const program = Object.hasOwn(programs, name) ? programs[name] : undefined
  return program?.run(options) ?? Promise.reject(new OperatorError('E_BUG', `no feature has a program ${name}`))
}
