import type { Finding } from '../protocol/checkup.ts'
import { wrong } from './findings.ts'
import type { ExpectedPort, Listener } from './machineFacts.ts'

/** What is to be listened on is, by who should, and from where it should be reached. */
export function judgePorts(expected: ExpectedPort[], listeners: Listener[]): Finding[] {
  return expected.flatMap((one) => {
    const here = listeners.filter(({ port }) => port === one.port)
    if (here.length === 0) return [silent(one)]
    const stranger = here.find(({ unit }) => one.unit !== null && unit !== one.unit)
    if (stranger) return [taken(one, stranger)]
    const open = here.find(({ address }) => one.loopbackOnly && !isLoopback(address))
    return open ? [reachable(one, open)] : []
  })
}

const isLoopback = (address: string): boolean => address.startsWith('127.') || address === '::1'

function silent({ port, what, unit }: ExpectedPort): Finding {
  const next = unit === null ? null : `systemctl status ${unit}; journalctl -u ${unit}`
  return wrong('ports', `nothing listens on port ${port}, ${what}`, next)
}

function taken({ port, what, unit }: ExpectedPort, { pid, command, unit: holder }: Listener): Finding {
  const who = [holder, pid === null ? null : `process ${pid}`, command === '' ? null : `(${command})`]
  const said = who.filter((part) => part !== null).join(' ') || 'a process that cannot be seen'
  return wrong(
    'ports',
    `port ${port}, ${what}, is held by ${said}, not by ${unit}`,
    `end it; then: systemctl restart ${unit}`,
  )
}

function reachable({ port, what }: ExpectedPort, { address }: Listener): Finding {
  const next = 'let it bind to $HOST, or confine it: jail: { addresses: [...] }; a firewall helps meanwhile'
  return wrong('ports', `port ${port}, ${what}, is listened on at ${address}: it can be reached past HAProxy`, next)
}
