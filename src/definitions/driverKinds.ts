import { balancerDrivers, supervisorDrivers, type DriverProgram, type Drivers } from './driverRegistry.ts'
import { featureDrivers, featurePrograms } from './features.ts'

/**
 * Every kind of driver, by its key below `drivers` in a cluster file: the drivers, the one of a cluster that names none,
 * the one of a laptop, and its work.
 */
export const driverKinds = {
  supervisor: { drivers: supervisorDrivers, usual: 'systemd', laptop: 'process', does: 'Runs the instances' },
  balancer: { drivers: balancerDrivers, usual: 'haproxy', laptop: 'embedded', does: 'Takes the requests' },
  ...featureDrivers,
} as const

/** The oldest version of each program that Tandem was tested with, and the command that prints the version here. */
export const driverPrograms: Record<DriverProgram, { least: string; version: readonly string[] }> = {
  systemd: { least: '252', version: ['systemctl', '--version'] },
  haproxy: { least: '2.6', version: ['haproxy', '-v'] },
  ...featurePrograms,
}

/** Drivers of a laptop, which has no cluster file. */
export const laptopDrivers = Object.fromEntries(
  Object.entries(driverKinds).map(([kind, { laptop }]) => [kind, laptop]),
) as Drivers // one of each kind
