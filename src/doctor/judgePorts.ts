import type { Finding } from '../protocol/checkup.ts'
import { wrong } from './findings.ts'
import { unsaidInWords, unsaidNext } from '../protocol/declaredRoutes.ts'
import { isAnyAddress, isLoopbackAddress } from '../lib/procNet.ts'
import type { ExpectedPort, Listener, Ports } from './machineFacts.ts'

/** Checks that each expected port is held by the right unit and reachable as planned, and that nothing else is open. */
export function judgePorts({ expected, listeners, strays, unsaid }: Ports): Finding[] {
  return [
    ...judgeExpected(expected, listeners),
    ...strays.map(stray),
    ...unsaid.map(({ service, port }) => wrong('ports', unsaidInWords(service, port), unsaidNext)),
  ]
}

function judgeExpected(expected: ExpectedPort[], listeners: Listener[]): Finding[] {
  return expected.flatMap((one) => {
    const isThere = (address: string): boolean =>
      one.address === undefined || one.address === address || isAnyAddress(address)
    const here = listeners.filter(({ port, address }) => port === one.port && isThere(address))
    if (here.length === 0) return [silent(one)]
    const stranger = here.find(({ unit }) => one.unit !== null && unit !== one.unit)
    if (stranger) return [taken(one, stranger)]
    const open = here.find(({ address }) => one.loopbackOnly && !isLoopbackAddress(address))
    return open ? [reachable(one, open)] : []
  })
}

function silent({ port, what, unit }: ExpectedPort): Finding {
  const next = unit === null ? null : `systemctl status ${unit}; journalctl -u ${unit}`
  return wrong('ports', `nothing listens on port ${port}, ${what}`, next)
}

function taken({ port, what, unit }: ExpectedPort, { pid, command, unit: holder }: Listener): Finding {
  const who = [holder, pid === null ? null : `process ${pid}`, command === '' ? null : `(${command})`]
  const said = who.filter((part) => part !== null).join(' ') || 'an unknown process'
  return wrong(
    'ports',
    `port ${port}, ${what}, is held by ${said}, not by ${unit}`,
    `stop that process; then: systemctl restart ${unit}`,
  )
}

function stray({ instance, port, address }: Ports['strays'][number]): Finding {
  const what = `${instance} listens on port ${port} at ${address}, which is not its assigned port: everybody can reach this port, past HAProxy`
  return wrong('ports', what, bindToHost)
}

const bindToHost =
  'make the program bind to $HOST, or confine it with jail: { addresses: [...] }; until then, block the port with a firewall'

function reachable({ port, what }: ExpectedPort, { address }: Listener): Finding {
  const said = `port ${port}, ${what}, is open at ${address}: clients can reach it past HAProxy`
  return wrong('ports', said, bindToHost)
}
