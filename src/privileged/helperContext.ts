import type { ServiceUsers } from '../drivers/supervisor/systemd/serviceUsers.ts'
import type { UnitGuard } from '../drivers/supervisor/systemd/unitHost.ts'
import type { Examine } from './examine.ts'
import type { RootFolder } from './rootFolder.ts'
import type { UnitExtra } from './unitExtra.ts'

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
  examine: Examine
  now: () => number
}
