/*
 * Each driver by name, and the abilities that it declares. Code outside the drivers reads the abilities and never compares
 * a name; the composition root has one table with a maker for each name, so the compiler objects to a driver that is
 * missing somewhere.
 */

/** A program of the system that a driver needs. */
export type DriverProgram = 'systemd' | 'haproxy' | 'keepalived'

/** The oldest version of each program that Tandem was tested with, and the command that prints the version here. */
export const driverPrograms: Record<DriverProgram, { least: string; version: readonly string[] }> = {
  systemd: { least: '252', version: ['systemctl', '--version'] },
  haproxy: { least: '2.6', version: ['haproxy', '-v'] },
  keepalived: { least: '2.2', version: ['keepalived', '--version'] },
}

interface SupervisorAbilities {
  program: DriverProgram | null
  /** Runs instances as units: they outlive the agent, and Tandem may work on the machine itself. */
  hasUnits: boolean
}

interface BalancerAbilities {
  program: DriverProgram | null
  /** Runs as a unit of its own, beside the agent. */
  hasUnit: boolean
}

interface AddressAbilities {
  program: DriverProgram | null
  /**
   * Who decides which machine holds a virtual address: the machines among themselves, by announcements; scripts of the
   * operator, which every machine runs; or nobody: addresses do not move.
   */
  moves: 'elected' | 'scripted' | 'never'
}

export const supervisorDrivers = {
  systemd: { program: 'systemd', hasUnits: true },
  process: { program: null, hasUnits: false },
} as const satisfies Record<string, SupervisorAbilities>

export const balancerDrivers = {
  haproxy: { program: 'haproxy', hasUnit: true },
  embedded: { program: null, hasUnit: false },
} as const satisfies Record<string, BalancerAbilities>

export const addressDrivers = {
  keepalived: { program: 'keepalived', moves: 'elected' },
  command: { program: null, moves: 'scripted' },
  none: { program: null, moves: 'never' },
} as const satisfies Record<string, AddressAbilities>

/** The driver that a cluster file, or a machine in it, names for each kind of work. */
export interface Drivers {
  supervisor: keyof typeof supervisorDrivers
  balancer: keyof typeof balancerDrivers
  address: keyof typeof addressDrivers
}

/** Drivers of a laptop, which has no cluster file. */
export const laptopDrivers: Drivers = { supervisor: 'process', balancer: 'embedded', address: 'none' }

export const hasUnits = ({ supervisor }: Drivers): boolean => supervisorDrivers[supervisor].hasUnits
export const balancerHasUnit = ({ balancer }: Drivers): boolean => balancerDrivers[balancer].hasUnit
/** Of a machine that is not in the cluster file: addresses do not move. */
export const addressMoves = (drivers: Drivers | undefined): AddressAbilities['moves'] =>
  drivers ? addressDrivers[drivers.address].moves : 'never'

/** The names of a registry, for the shape of a cluster file. */
export function namesOf<R extends object>(registry: R): [keyof R & string, ...(keyof R & string)[]] {
  return Object.keys(registry) as [keyof R & string, ...(keyof R & string)[]] // each has a driver
}
