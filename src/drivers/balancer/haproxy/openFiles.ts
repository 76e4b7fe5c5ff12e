import { haproxyLimits } from './haproxySettings.ts'

/*
 * Number of open files that HAProxy needs, and number of connections that fit if the machine allows fewer.
 *
 *   connection of a client               2  the socket of the client, and the socket to an instance or another machine
 *   connection forwarded by a machine    4  its socket; two between the port for machines and the part that ends TLS;
 *                                           the socket to the instance
 *   HAProxy itself                   2,000  listeners, checks, sockets for commands, work handed over by an old worker
 *
 * HAProxy counts differently: it opens two files for each connection of `maxconn`, and a forwarded connection is two of
 * those.
 */
const filesOfClient = 2
const filesOfForwarded = 4
const ownFiles = 2_000

/** Connections at once; one more is refused. */
export interface ConnectionLimit {
  /** Of clients and of other machines together. */
  connections: number
  /** If files are short: the same limit, with each connection that another machine forwards counted twice. */
  weighted: number | null
}

/** Files for all the connections, if another machine forwarded every one of them. */
export const filesFor = (connections: number): number => connections * filesOfForwarded + ownFiles

/** HAProxy's `maxconn`: HAProxy requests twice as many files, and some more for its listeners and checks. */
export const maxconnFor = (connections: number): number => filesFor(connections) / 2

/**
 * `LimitNOFILE` of HAProxy's unit: the next power of two, so that there is room for the listeners and checks of many
 * services.
 */
export const unitOpenFiles = 2 ** Math.ceil(Math.log2(filesFor(haproxyLimits.connections)))

/** `openFiles`: `null` means as many as HAProxy requested. */
export function roomIn(openFiles: number | null, connections: number): ConnectionLimit {
  if (openFiles === null || openFiles >= filesFor(connections)) return { connections, weighted: null }
  // This does not depend on the running state: the number must be the same for any set of routes.
  const own = Math.min(ownFiles, Math.ceil(openFiles / 10))
  return { connections, weighted: Math.max(1, Math.floor((openFiles - own) / filesOfClient)) }
}

/** `null`: all the connections fit, from clients or from other machines. */
export function shortageOf({ connections, weighted }: ConnectionLimit, openFiles: number | null): string | null {
  if (weighted === null || openFiles === null) return null
  const clients = Math.min(connections, weighted)
  const forwarded = Math.max(1, Math.floor((weighted * filesOfClient) / filesOfForwarded))
  return (
    `HAProxy may open ${openFiles} files: it accepts ${clients} connections of clients at once, or ${forwarded} that other machines forward, ` +
    `and refuses more. ${connections} of either kind need ${filesFor(connections)} files. ${raiseFiles}`
  )
}

/** The unit of HAProxy requests enough files, so another limit is in the way. */
export const raiseFiles =
  'Find the lower limit (systemctl show -p LimitNOFILE tandem-haproxy.service; sysctl fs.nr_open; the limits of a container), then: systemctl restart tandem-haproxy.service'
