/** Runs one attempt at a maintenance's script; `id`: MAINTENANCE-ATTEMPT. */
export const maintenanceUnit = (id: string): string => `tandem-maintenance-${id}.service`

/** And not an instance of a service that is called `maintenance`: those names have more parts. */
export const isMaintenanceUnit = (unit: string): boolean => /^tandem-maintenance-[0-9a-z]{8}-\d+\.service$/.test(unit)
