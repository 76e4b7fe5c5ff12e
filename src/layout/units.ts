/** Folder of all units that Tandem writes: its own parts, and instances. */
export const unitFolder = '/etc/systemd/system'

export const agentUnit = 'tandem-agent.service'
export const controllerUnit = 'tandem-controller.service'
export const privilegedUnit = 'tandem-privileged.service'
export const privilegedSocketUnit = 'tandem-privileged.socket'
/** The privileged helper of the controller, and its socket. */
export const controllerHelperUnit = 'tandem-controller-privileged.service'
export const controllerHelperSocketUnit = 'tandem-controller-privileged.socket'
export const haproxyUnit = 'tandem-haproxy.service'

/** Unit that tries a new version of Tandem for the part with this unit. */
export const trialUnit = (unit: string): string => unit.replace('.service', '-trial.service')

/** The unit whose new version this unit tries. */
export const unitOfTrial = (unit: string): string => unit.replace('-trial.service', '.service')

/** Unit that changes the other units, users and folders of the part with this unit to those of its program. */
export const partsUnit = (unit: string): string => unit.replace('.service', '-parts.service')

/** Units of the parts that run all the time. Features add theirs. */
export const standingUnits: readonly string[] = [
  agentUnit,
  privilegedSocketUnit,
  controllerUnit,
  controllerHelperSocketUnit,
]

/** Units that come and go: the privileged helpers, a running upgrade of a part. */
export const passingUnits: readonly string[] = [
  privilegedUnit,
  controllerHelperUnit,
  ...[agentUnit, controllerUnit].flatMap((unit) => [trialUnit(unit), partsUnit(unit)]),
]
