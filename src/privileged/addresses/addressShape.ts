import { isIP } from 'node:net'
import { z } from 'zod'
import type { KeepalivedSettings } from '../../drivers/address/keepalived/keepalivedSettings.ts'
import { usualAdvertMs } from '../../definitions/addresses/bounds.ts'
import { addressKeys } from '../../definitions/addresses/keys.ts'
import { schemaOf } from '../../definitions/keptSchema.ts'
import { namePattern } from '../../definitions/names.ts'
import type { KnownMachine } from '../rootFolder.ts'
import { join } from 'node:path'
import { guardSocket } from '../../drivers/balancer/haproxy/haproxyConfig.ts'
import { haproxyRunDir } from '../../layout/folders.ts'

const most = 100
const address = z.string().refine((text) => isIP(text) !== 0, 'is not an address')

/** Milliseconds; VRRP counts hundredths of a second. */
const advertSchema = schemaOf(addressKeys.advert.shape.kept) as z.ZodType<number>

export const keepalivedShape = z.strictObject({
  settings: z.strictObject({
    machine: z.string().regex(namePattern),
    interface: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.@-]{0,14}$/),
    own: address,
    peers: z.array(address).max(most),
    advert: advertSchema.default(usualAdvertMs),
    addresses: z
      .array(
        z.strictObject({
          address,
          routerId: z.int().min(1).max(255),
          priority: z.int().min(1).max(254),
        }),
      )
      .min(1)
      .max(most),
  }),
  /** Socket on which HAProxy answers the guard. */
  haproxy: z.literal(join(haproxyRunDir, guardSocket)).nullable(),
})

/**
 * Accepts only addresses of the cluster file, and only for the machine that the privileged helper knows this machine to
 * be.
 */
export function checkAddresses(asked: KeepalivedSettings, { machine, address: own, addresses }: KnownMachine): void {
  const foreign = asked.addresses.find((one) => !addresses.includes(one.address))
  if (foreign)
    throw new Error(`${foreign.address} is not an address of the cluster file known to the privileged helper`)
  if (asked.machine !== machine) throw new Error(`this machine is ${machine}, not ${asked.machine}`)
  if (isIP(own) !== 0 && asked.own !== own) throw new Error(`this machine's own address is ${own}, not ${asked.own}`)
}
