import { join } from 'node:path'
import { configurationFolder } from './folders.ts'

/** Names of the virtual addresses on a machine. */

export const keepalivedUnit = 'tandem-keepalived.service'
/** Runs the program `guardProgram` of Tandem. */
export const guardUnit = 'tandem-guard.service'
export const addressScriptUnit = 'tandem-address-script.service'

/** The command `tandem agent guard`. */
export const guardProgram = 'guard'

/** Scripts of the address driver `command`. */
export const addressScriptsFolder = join(configurationFolder, 'address')
/** Gone after a reboot. */
export const addressRunDir = '/run/tandem-address'
