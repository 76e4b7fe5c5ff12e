import type { Logger } from 'pino'
import type { AgentIdentity } from '../agent/agentIdentity.ts'
import type { HungFeature } from '../agent/features.ts'
import type { Drivers } from '../definitions/driverRegistry.ts'
import type { FeatureExamination } from '../examine/featureExamination.ts'
import type { FeatureJoining } from '../installation/joinMachine.ts'
import type { FeatureLeaving } from '../installation/leaveMachine.ts'
import type { HelperContext } from '../privileged/helperContext.ts'
import type { Operations } from '../privileged/operation.ts'
import type { CallPrivileged } from '../privileged/privilegedClient.ts'

/**
 * Everything that a feature has on a machine. Agent, privileged helper, doctor and own programs are separate processes,
 * and each needs another part of it. So a side loads its code when the code is called, and its file imports only names
 * and types.
 */
export interface MachineSide {
  /** Makes the drivers that its part of the agent works with, direct or by requests to the privileged helper. */
  drivers?: (making: Making) => Promise<object>
  /** Its part of the agent, which carries out its slice of the desired state with these drivers, and reports. */
  agent?: () => Promise<(drivers: never) => HungFeature>
  /** The operations that the unprivileged agent may request from the privileged helper. */
  operations?: (context: HelperContext) => Promise<Operations>
  /** Whether it holds instances of this machine to the addresses that `jail: addresses` names: asked at each start. */
  confines?: () => Promise<() => boolean>
  units?: SideUnits
  examination?: FeatureExamination
  leaving?: FeatureLeaving
  joining?: FeatureJoining
  /** Its part of the controller's machine: the controller is not root either. */
  controller?: ControllerMachine
  /** Work that a command does on this computer itself. */
  here?: Record<string, (options: never) => Promise<unknown>>
  /** Programs that run as `tandem agent NAME` in a process of their own. */
  programs?: Record<string, SideProgram>
}

interface ControllerMachine {
  /** Makes its drivers; `root`: client of the controller's privileged helper, `null`: there is none. */
  drivers?: (root: CallPrivileged | null, data: string) => Promise<object>
  /** The operations that the controller may request from its privileged helper. */
  operations?: (data: string) => Promise<Operations>
}

/** Units of Tandem itself, whose names could also be those of instances. */
interface SideUnits {
  /** Units that run all the time, */
  standing?: readonly string[]
  /** and units that come and go. */
  isPassing?: (unit: string) => boolean
}

interface SideProgram {
  /**
   * Unit that runs the program: an upgrade keeps the version of Tandem that the unit names. Left out: the agent, or its
   * helper, starts the program.
   */
  unit?: string
  /** Runs until a signal; resolves with the exit code. */
  run: (options: { data: string }) => Promise<number>
}

/** The values that drivers are made of. */
export interface Making {
  options: { data: string; host: string; httpPort: number; forwardPort: number }
  identity: AgentIdentity
  logger: Logger
  /** Client of the privileged helper; `null`: this process does the work that needs root itself. */
  root: CallPrivileged | null
  drivers: Drivers
  /** Whether some feature holds instances of this machine to their addresses. */
  confines: () => boolean
}
