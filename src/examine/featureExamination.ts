import type { DriverProgram } from '../definitions/driverRegistry.ts'
import type { MachineSettings } from '../definitions/machineSettings.ts'
import type { OwnConfiguration } from '../doctor/machineFacts.ts'
import type { CheckupArea } from '../protocol/checkup.ts'

/** The facts about a feature that `tandem doctor` gathers on a machine of a cluster. */
export interface FeatureExamination {
  /** The programs of the system that the feature needs; `null` stands for none. */
  programs?: (settings: MachineSettings) => (DriverProgram | null)[]
  /** The units of Tandem that must exist for the feature. */
  needed?: (known: Known) => readonly string[]
  /** The file that Tandem writes for a program of the feature; `find` yields `null` where there must be none. */
  configuration?: {
    area: CheckupArea
    find: (data: string, known: Known) => Promise<OwnConfiguration | null>
  }
}

/**
 * Progress of a machine in its cluster: before its agent has run and has received its settings, its units do not exist
 * yet.
 */
export interface Known {
  settings: MachineSettings
  /** Units of the agent and its helper that joining or an upgrade has written; none if the agent is started otherwise. */
  parts: readonly string[]
  hasRun: boolean
  /** Settings as the controller last sent them; `null` if it has sent none. */
  told: MachineSettings | null
}

/** The examinations of all features, and the kinds of Tandem's own units. */
export interface FeatureExaminations {
  all: readonly FeatureExamination[]
  /** How a unit of Tandem itself runs; `null`: it is none. */
  kindOf: (unit: string) => 'standing' | 'passing' | null
}

/** Units of Tandem itself that must exist on this machine. */
export const neededUnits = (known: Known, examinations: readonly FeatureExamination[]): string[] => [
  ...known.parts,
  ...examinations.flatMap(({ needed }) => needed?.(known) ?? []),
]
