import { join } from 'node:path'

/** Names of maintenance on a machine. */

/** Scripts of a part that is root, in its data folder. */
export const scriptsFolder = (data: string): string => join(data, 'maintenance')

/** Name of the unit that runs one attempt of a maintenance script; `id` is MAINTENANCE-ATTEMPT. */
export const maintenanceUnit = (id: string): string => `tandem-maintenance-${id}.service`

/** False for instances of a service called `maintenance`: their names have more parts. */
export const isMaintenanceUnit = (unit: string): boolean => /^tandem-maintenance-[0-9a-z]{8}-\d+\.service$/.test(unit)
