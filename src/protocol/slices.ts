import { z } from 'zod'
import { accessAbility } from './access.ts'
import { addresses, addressArea } from './addresses.ts'
import { config, configAbility } from './config.ts'
import { dataRemoval } from './dataRemoval.ts'
import { fetching } from './fetching.ts'
import { files, filesAbility } from './files.ts'
import { firewall, firewallArea } from './firewall.ts'
import { requirementsArea } from './requirements.ts'
import { lastWords } from './lastWords.ts'
import { localRoutes, localRoutesAbility } from './localRoutes.ts'
import { maintenance } from './maintenance.ts'
import { names, namesAbility } from './names.ts'
import { preparing } from './preparing.ts'
import { program } from './program.ts'
import { secrets, secretsAbility } from './secrets.ts'
import { services } from './services.ts'
import { settings } from './settings.ts'

/*
 * The slices of every feature. The desired state and the report are made of them, each with an envelope. A new feature
 * adds its slice here; if older agents must not miss it silently, also an ability.
 */

export const desireSlices = {
  ...fetching.desire,
  ...services.desire,
  ...localRoutes.desire,
  ...names.desire,
  ...firewall.desire,
  ...preparing.desire,
  ...dataRemoval.desire,
  ...maintenance.desire,
  ...addresses.desire,
  ...settings.desire,
  ...program.desire,
  ...secrets.desire,
  ...config.desire,
  ...files.desire,
}

export const reportSlices = {
  ...program.report,
  ...fetching.report,
  ...services.report,
  ...localRoutes.report,
  ...names.report,
  ...preparing.report,
  ...dataRemoval.report,
  ...maintenance.report,
  ...addresses.report,
  ...firewall.report,
  ...settings.report,
  ...lastWords.report,
  ...files.report,
}

/** The share of every feature in the order about a program. */
export const programParts = [names.program, config.program, secrets.program, files.program] as const

/** Areas of a checkup that belong to features. */
export const featureAreas = [addressArea, firewallArea, requirementsArea] as const

/** Each is one line of JSON; `null`: not requested, or the controller has no certificate. */
export const ordersSchema = z.object({ ...maintenance.orders, ...settings.orders, ...program.orders })
export type Orders = z.infer<typeof ordersSchema>
export const noOrders: Orders = { script: null, restart: null, settings: null, program: null }

/** A controller refuses a change that needs an ability which a machine does not report. */
export const abilities = [
  localRoutesAbility,
  namesAbility,
  accessAbility,
  secretsAbility,
  configAbility,
  filesAbility,
] as const

/** As agents of this version report them. */
export const abilityNames = abilities.map(({ name }) => name)
