import { haproxyLimits } from './haproxySettings.ts'

/*
 * How many files HAProxy needs open, and how many connections fit where the machine gives it fewer.
 *
 *   a client's connection                2  the client's socket; the one to an instance, or to another machine
 *   one that another machine forwards    4  its socket; two between the port for machines and the part that ends TLS; the instance's
 *   HAProxy's own                   2,000  listeners, checks, sockets for commands, what an old worker hands over
 *
 * HAProxy counts otherwise: it opens two files for each connection of `maxconn`, and a forwarded connection is two of those.
 */
const filesOfClient = 2
const filesOfForwarded = 4
const ownFiles = 2_000

/** Connections at once; one more is refused. */
export interface Room {
  /** Of clients and of other machines together. */
  connections: number
  /** Where files are short: the same, with each connection that another machine forwards counted twice. */
  weighted: number | null
}

/** For all the connections, if every one of them were forwarded by another machine. */
export const filesFor = (connections: number): number => connections * filesOfForwarded + ownFiles

/** HAProxy's `maxconn`: it asks for twice as many files, and some more for its listeners and checks. */
export const maxconnFor = (connections: number): number => filesFor(connections) / 2

/** `LimitNOFILE` of HAProxy's unit: the next power of two, so that there is room for the listeners and checks of many services. */
export const unitOpenFiles = 2 ** Math.ceil(Math.log2(filesFor(haproxyLimits.connections)))

/** `openFiles`: `null`, as many as HAProxy asked for. */
export function roomIn(openFiles: number | null, connections: number): Room {
  if (openFiles === null || openFiles >= filesFor(connections)) return { connections, weighted: null }
  // Not by what runs: the number must be the same whatever routes there are.
  const own = Math.min(ownFiles, Math.ceil(openFiles / 10))
  return { connections, weighted: Math.max(1, Math.floor((openFiles - own) / filesOfClient)) }
}

/** `null`: all the connections fit, wherever they come from. */
export function shortageOf({ connections, weighted }: Room, openFiles: number | null): string | null {
  if (weighted === null || openFiles === null) return null
  const clients = Math.min(connections, weighted)
  const forwarded = Math.max(1, Math.floor((weighted * filesOfClient) / filesOfForwarded))
  return (
    `HAProxy may open ${openFiles} files: it takes ${clients} connections of clients at once, or ${forwarded} that other machines forward, ` +
    `and refuses more. ${connections} of either kind need ${filesFor(connections)} files. ${raiseFiles}`
  )
}

/** Its unit asks for enough: something else is in the way. */
export const raiseFiles =
  'Find what limits it (systemctl show -p LimitNOFILE tandem-haproxy.service; sysctl fs.nr_open; the limits of a container), then: systemctl restart tandem-haproxy.service'
