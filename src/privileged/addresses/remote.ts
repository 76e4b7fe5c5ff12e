import { usualAdvertMs } from '../../definitions/addresses/bounds.ts'
import type { RunAddressScript } from '../../drivers/address/command/commandAddress.ts'
import type { AddressHost } from '../../drivers/address/keepalived/addressHost.ts'
import { longMs, noAnswer as none } from '../operation.ts'
import type { CallPrivileged } from '../privilegedClient.ts'

export const remoteAddresses = (call: CallPrivileged): AddressHost => ({
  install: async ({ advert, ...settings }, haproxy) => {
    // The privileged helper of the previous version does not know this field and always uses the usual interval.
    const more = advert === usualAdvertMs ? {} : { advert }
    await call('addresses.install', { settings: { ...settings, ...more }, haproxy }, none)
  },
  remove: async () => void (await call('addresses.remove', {}, none)),
  leave: () => Promise.reject(new Error('only root can remove Tandem from a machine')),
})

/** The caller may stop waiting: the script continues, and is requested again. */
export const remoteAddressScript =
  (call: CallPrivileged): RunAddressScript =>
  async (script, addresses, signal) => {
    const left = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(new Error(`the agent stopped while ${script} was running`)), {
        once: true,
      })
    })
    await Promise.race([call('addresses.script', { script, addresses }, none, longMs), left])
  }
