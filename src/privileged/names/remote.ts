import { holdNames, type NamesDriver } from '../../drivers/names/hostsFile.ts'
import { hostsPath } from '../../layout/names.ts'
import { noAnswer as none } from '../operation.ts'
import type { CallPrivileged } from '../privilegedClient.ts'

/** The agent reads the file itself; everybody may. */
export const remoteNames = (call: CallPrivileged): NamesDriver => ({
  hold: (names) => holdNames(hostsPath, names),
  write: async (names) => void (await call('names.write', { names }, none)),
})
