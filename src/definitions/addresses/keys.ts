import { BlockList, isIP } from 'node:net'
import { leastAdvertMs, mostAdvertMs, usualAdvertMs } from './bounds.ts'
import { canonicalAddress } from '../network.ts'
import { longestHost } from '../pathRules.ts'
import { duration } from '../shapes/duration.ts'
import { withDefault } from '../shapes/group.ts'
import { distinct, list } from '../shapes/list.ts'
import { refuse, type Refusal } from '../shapes/refusal.ts'
import { text } from '../shapes/text.ts'

/** The keys of `cluster.yaml` about virtual addresses. */
export const addressKeys = {
  addresses: withDefault(
    distinct(
      list(text({ expects: 'an IP address', schema: { maxLength: longestHost }, check: checkIp }), {
        what: 'addresses',
        least: 0,
        most: 2,
      }),
    ),
    [],
    [],
    'Virtual addresses that move between machines: one, or two for DNS round robin.',
    ['vips', 'vip', 'virtual'],
  ),
  advert: {
    ...withDefault(
      duration(leastAdvertMs, refuseAdvert),
      '100ms',
      usualAdvertMs,
      'How often the holder of an address announces it; after 3.6 times this without one, another machine takes it.',
      ['advert_int', 'interval'],
    ),
    stored: { fallback: usualAdvertMs },
  },
}

function refuseAdvert(ms: number): string | null {
  if (ms > mostAdvertMs) {
    return `too long: after a failure no machine would answer for 3.6 times this; the most is ${mostAdvertMs / 1000}s`
  }
  return ms % 10 === 0 ? null : 'VRRP counts hundredths of a second: write a multiple of 10ms'
}

function checkIp(written: string): string | Refusal {
  const family = isIP(written)
  if (family === 0) return refuse(`"${written.slice(0, 60)}" is not an IP address`)
  if (notForMachines.check(written, family === 6 ? 'ipv6' : 'ipv4')) {
    return refuse(`${written} is not an address that a machine could hold for others`)
  }
  return canonicalAddress(written)
}

/**
 * Loopback, unspecified, link-local and multicast addresses: no machine beyond the own cable reaches these, or every
 * machine does.
 */
const notForMachines = new BlockList()
for (const net of ['127.0.0.0/8', '0.0.0.0/8', '169.254.0.0/16', '224.0.0.0/3']) block(net, 'ipv4')
for (const net of ['::/127', 'fe80::/10', 'ff00::/8']) block(net, 'ipv6')

function block(net: string, family: 'ipv4' | 'ipv6'): void {
  const [prefix = '', bits] = net.split('/')
  notForMachines.addSubnet(prefix, Number(bits), family)
}
