/** Folder of all units that Tandem writes: its own parts, and instances. */
export const unitFolder = '/etc/systemd/system'

export const agentUnit = 'tandem-agent.service'
export const controllerUnit = 'tandem-controller.service'
export const privilegedUnit = 'tandem-privileged.service'
export const privilegedSocketUnit = 'tandem-privileged.socket'
export const haproxyUnit = 'tandem-haproxy.service'
export const keepalivedUnit = 'tandem-keepalived.service'
export const guardUnit = 'tandem-guard.service'
export const addressScriptUnit = 'tandem-address-script.service'

/** Unit that tries a new version of Tandem for the part with this unit. */
export const trialUnit = (unit: string): string => unit.replace('.service', '-trial.service')

/** The unit whose new version this unit tries. */
export const unitOfTrial = (unit: string): string => unit.replace('-trial.service', '.service')

/** Unit that changes the other units, users and folders of the part with this unit to those of its program. */
export const partsUnit = (unit: string): string => unit.replace('.service', '-parts.service')

/** Name of the unit that runs one attempt of a maintenance script; `id` is MAINTENANCE-ATTEMPT. */
export const maintenanceUnit = (id: string): string => `tandem-maintenance-${id}.service`

/** False for instances of a service called `maintenance`: their names have more parts. */
export const isMaintenanceUnit = (unit: string): boolean => /^tandem-maintenance-[0-9a-z]{8}-\d+\.service$/.test(unit)

/** Units that run all the time. */
const standing = [agentUnit, privilegedSocketUnit, controllerUnit, haproxyUnit, keepalivedUnit, guardUnit]

/** Units that come and go: the privileged helper, a script that moves addresses, a running upgrade. */
const passing = [
  privilegedUnit,
  addressScriptUnit,
  ...[agentUnit, controllerUnit].flatMap((unit) => [trialUnit(unit), partsUnit(unit)]),
]

export const isStandingUnit = (unit: string): boolean => standing.includes(unit)
export const isPassingUnit = (unit: string): boolean => passing.includes(unit) || isMaintenanceUnit(unit)

/** True for a unit of Tandem itself, whose name could also be that of an instance. */
export const isOwnUnit = (unit: string): boolean => isStandingUnit(unit) || isPassingUnit(unit)
