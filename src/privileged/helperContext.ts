import type { ServiceUsers } from '../drivers/supervisor/systemd/serviceUsers.ts'
import type { UnitGuard } from '../drivers/supervisor/systemd/unitHost.ts'
import type { OwnFolders } from '../releases/releaseFolders.ts'
import type { Examine } from './examine.ts'
import type { RootFolder } from './rootFolder.ts'
import type { AcceptedOrders } from './services/acceptedOrders.ts'
import type { OrderedPrograms, ProgramExtra } from './services/orderedPrograms.ts'
import type { UnitExtra } from './unitExtra.ts'

/** `null`: it keeps none of this generation. */
export type SecretValuesOf = (service: string, generation: string) => Promise<Record<string, Buffer> | null>

/** The things that every part of the privileged helper may use. */
export interface HelperContext {
  /** The data folder of the agent. */
  data: string
  folder: RootFolder
  /** The users and groups that run without privileges. */
  unprivileged: { uid: number; gid: number; haproxyGroup: string }
  /** True for a unit of Tandem itself, whose name could also be that of an instance. */
  isOwnUnit: (unit: string) => boolean
  /** Units that run a program of Tandem beside agent and helper: an upgrade keeps the version that they run. */
  programUnits: readonly string[]
  users: ServiceUsers
  /** A feature that must know every change of a unit of an instance adds itself. */
  guards: UnitGuard[]
  /** A feature that gives instances something beside their units adds itself. */
  unitExtras: UnitExtra[]
  /** The orders of the controller about programs of services. */
  orders: AcceptedOrders
  /** The folders in which releases run. */
  releases: OwnFolders
  programs: OrderedPrograms
  /** A feature with a share in programs adds itself. */
  programExtras: ProgramExtra[]
  /** The values of the secrets of a generation, by name. The feature that keeps them adds itself. */
  secretValues: SecretValuesOf[]
  /** Whether the agent is of a version that passes no orders on. The feature that changes versions adds itself. */
  agentIsOld: (() => boolean)[]
  examine: Examine
  now: () => number
}
