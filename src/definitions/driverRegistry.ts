import type { featureDrivers, featurePrograms } from './features.ts'

/*
 * Each driver by name, and the abilities that it declares. Code outside the drivers reads the abilities and never compares
 * a name; machine/ has one table for each kind with a maker for each name, so the compiler objects to a driver that is
 * missing somewhere. A kind of driver that belongs to a feature is in features.ts.
 */

/** A program of the system that a driver needs. */
export type DriverProgram = 'systemd' | 'haproxy' | keyof typeof featurePrograms

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

export const supervisorDrivers = {
  systemd: { program: 'systemd', hasUnits: true },
  process: { program: null, hasUnits: false },
} as const satisfies Record<string, SupervisorAbilities>

export const balancerDrivers = {
  haproxy: { program: 'haproxy', hasUnit: true },
  embedded: { program: null, hasUnit: false },
} as const satisfies Record<string, BalancerAbilities>

/** The driver that a cluster file, or a machine in it, names for each kind of work. */
export type Drivers = {
  supervisor: keyof typeof supervisorDrivers
  balancer: keyof typeof balancerDrivers
} & { [Kind in keyof typeof featureDrivers]: keyof (typeof featureDrivers)[Kind]['drivers'] }

export const hasUnits = ({ supervisor }: Pick<Drivers, 'supervisor'>): boolean => supervisorDrivers[supervisor].hasUnits
export const balancerHasUnit = ({ balancer }: Pick<Drivers, 'balancer'>): boolean => balancerDrivers[balancer].hasUnit
