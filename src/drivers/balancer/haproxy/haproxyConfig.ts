import { createHash } from 'node:crypto'
import { sealed } from '../../../lib/seal.ts'
import type { PlannedRoute } from '../balancer.ts'
import { ownPortInWords } from '../ownPorts.ts'
import { brokenOff, noInstance, noRoute, notPlanned, unprocessed } from '../pages.ts'
import { tooEarlyHeader, unprocessedHeader } from '../forwarding.ts'
import { backendsOf, bodyLimit, countingBackend } from './bodyLimit.ts'
import { chooseByAddress, useBackend } from './chosenBackend.ts'
import { fromClients } from './clientHeaders.ts'
import { configuredServers, newWorker, serverLine, type ConfiguredServer } from './configuredServer.ts'
import type { HaproxySettings } from './haproxySettings.ts'
import { maxconnFor } from './openFiles.ts'
import { addressesOf, type ServedRoute } from './servedRoute.ts'
import { handedOver, page, textOf, word } from './configWords.ts'

/**
 * HAProxy's whole configuration (configuration manual of 2.6), the same bytes for the same plan and settings. `null`: no
 * plan was applied yet. Shapes:
 *
 *   entry              clients come in; the backend is chosen by host and path
 *   tcp_PORT           a public port of one service
 *   local_SERVICE_PORT a port of one service at its loopback address, for programs on the machines
 *   count_SERVICE      bodies without a length are counted on their way back to where they came in, if they have a limit
 *   svc_SERVICE        local instances first, peers when none is left
 *   forward            other machines come in: chooses by ALPN, before any handshake, so that a service
 *                      without an instance here is refused as if nothing listened, and the other machine goes elsewhere
 *   forwarded_http/tcp ends that TLS; only machines with a certificate of this cluster get through
 *   fwd_SERVICE        local instances only: work is never forwarded twice
 *
 * What an old worker still gets after a reload it hands to the new one, through sockets of their own.
 */
export function haproxyConfig(routes: ServedRoute[] | null, settings: HaproxySettings): string {
  const servers = configuredServers(routes ?? [], settings)
  const body = sections(routes, settings, servers)
  const lines = [`# Written by Tandem for machine ${settings.machine}: changes made here are overwritten.`, '']
  return sealed(lines.concat(globalSection(settings, shapeOf(body, settings)), body).join('\n'))
}

/** What only a reload can change: everything but the servers. Two configurations with one shape differ by run-time commands. */
function shapeOf(body: string[], settings: HaproxySettings): string {
  const lines = body.filter((line) => !line.startsWith('  server ') && !line.startsWith('  # server'))
  const all = [...globalSection(settings, ''), settings.certificatesHash, ...lines].join('\n')
  return createHash('sha256').update(all).digest('hex').slice(0, 32)
}

/** The shape that a configuration, or `show info`, says it has; `null`: none of ours. */
export function shapeIn(text: string): string | null {
  return /description:? "?tandem ([0-9a-f]{32})/i.exec(text)?.[1] ?? null
}

/** Where the worker itself, not the master, answers who only looks. */
export const guardSocket = 'guard.sock'

function globalSection({ limits, files, user }: HaproxySettings, shape: string): string[] {
  return [
    'global',
    `  description "tandem ${shape}"`,
    ...(user === null ? [] : [`  user ${user}`, `  group ${user}`]),
    // Connections are refused at their limit by rules below; HAProxy's own would leave them waiting.
    `  maxconn ${maxconnFor(limits.connections)}`,
    // Where the machine gives fewer open files than that, it takes fewer connections rather than none.
    '  no strict-limits',
    `  mworker-max-reloads ${limits.oldWorkers}`,
    '  tune.bufsize 65536',
    '  tune.http.maxhdr 2000',
    '  ssl-default-bind-options ssl-min-ver TLSv1.2',
    '  ssl-default-server-options ssl-min-ver TLSv1.2',
    `  stats socket ${files.run}/${guardSocket} mode 660 level user`,
    `  lua-load ${files.script}`,
    `  lua-load-per-thread ${files.bodyScript}`,
    '  set-var proc.retired int(0)',
    '  set-var proc.goodbye int(0)',
    '',
  ]
}

function sections(routes: ServedRoute[] | null, settings: HaproxySettings, servers: ConfiguredServer[]): string[] {
  const all = routes ?? []
  const of = (backend: string): string[] =>
    servers.filter((server) => server.backend === backend).map((server) => `  ${serverLine(server)}`)
  const ports = all.filter(({ planned }) => planned.own !== null)
  return [
    ...defaults(settings),
    ...entry(all, settings),
    ...ports.flatMap((route) => portEntry(route, ports, settings)),
    ...forward(all, settings),
    ...forwardedHttp(all, settings),
    ...(['http', 'tcp'] as const).flatMap((kind) => forwardedPorts(kind, ports, settings)),
    ...all.flatMap((route) => [
      ...countingBackend(route, `${settings.files.run}/${socketOf(route.frontend)}.sock`),
      ...clientBackend(route, settings),
      ...of(route.backend),
      '',
      ...forwardedBackend(route, settings),
      ...of(route.forwarded),
      '',
    ]),
    ...noRouteBackend(routes !== null),
  ]
}

function defaults({ limits }: HaproxySettings): string[] {
  const both = [
    '  option clitcpka',
    '  option srvtcpka',
    '  clitcpka-idle 60s',
    '  clitcpka-intvl 20s',
    '  clitcpka-cnt 6',
    '  srvtcpka-idle 60s',
    '  srvtcpka-intvl 20s',
    '  srvtcpka-cnt 6',
    `  timeout connect ${limits.connectMs}ms`,
    `  timeout check ${limits.connectMs}ms`,
    `  retries ${limits.attempts}`,
    '  option redispatch 1',
  ]
  return [
    '# No timeout for clients and servers on purpose: silent connections live until their hosts are gone.',
    'defaults tandem_tcp',
    '  mode tcp',
    ...both,
    '',
    'defaults tandem_http',
    '  mode http',
    ...both,
    '  option idle-close-on-response',
    `  timeout http-request ${limits.headersMs}ms`,
    `  timeout http-keep-alive ${limits.clientIdleMs}ms`,
    '  http-reuse safe',
    '',
  ]
}

function entry(routes: ServedRoute[], settings: HaproxySettings): string[] {
  const { host, httpPort, https } = settings
  const atEntry = routes.filter(({ planned }) => planned.own === null)
  return [
    '# Clients, and requests that an old worker hands over after a reload.',
    'frontend entry from tandem_http',
    `  bind ${host}:${httpPort}`,
    ...(https ? [`  bind ${host}:${https.port} ssl crt ${word(https.certificates)} alpn h2,http/1.1`] : []),
    `  bind ${ownSocket(settings, 'entry')} id 9`,
    ...gate(routes, settings),
    ...fromClients(settings),
    ...chooseByAddress(atEntry, backendsOf),
    '  default_backend no_route',
    '',
  ]
}

/** Refused at once and counted; what is open goes on. Connections among HAProxy's own parts are not counted. */
function gate(routes: ServedRoute[], { room }: HaproxySettings): string[] {
  const others = ['forward', ...new Set(routes.map(({ frontend }) => frontend))].filter((name) => name !== 'entry')
  const sum = others.map((name) => `,add(${connectionsOf(name)})`).join('')
  return [
    ...others.map((name) => `  tcp-request connection set-var(${connectionsOf(name)}) fe_conn(${name})`),
    `  tcp-request connection reject if !${handedOver} { fe_conn(entry)${sum} gt ${room.connections} }`,
    ...(room.weighted === null
      ? []
      : [
          `  tcp-request connection reject if !${handedOver} { fe_conn(entry)${sum},add(${connectionsOf('forward')}) gt ${room.weighted} }`,
        ]),
  ]
}

/** A variable; its name takes no hyphen, and no service's name has a dot. */
const connectionsOf = (frontend: string): string => `sess.${frontend.replaceAll('-', '.')}`

function portEntry(
  { planned, backend, frontend }: ServedRoute,
  routes: ServedRoute[],
  settings: HaproxySettings,
): string[] {
  if (planned.own === null) return []
  const { kind, service, own } = planned
  const accepts = kind === 'tcp' ? ' accept-proxy' : ''
  const begin = [
    `# ${service}: ${where(planned)}`,
    `frontend ${frontend} from tandem_${kind}`,
    ...addressesOf(own, settings.host).map((address) => `  bind ${address}:${own.port}`),
    `  bind ${ownSocket(settings, socketOf(frontend))}${accepts} id 9`,
    ...gate(routes, settings),
  ]
  if (kind === 'http') {
    const chosen = backendsOf({ planned, backend }).map(([one, condition]) => useBackend(one, condition))
    return [...begin, ...fromClients(settings), ...chosen, '']
  }
  return [
    ...begin,
    // The delay bounds a hold; without one there is nothing to wait for.
    '  tcp-request inspect-delay 1h',
    `  tcp-request content set-var(txn.backend) str(${backend})`,
    `  tcp-request content lua.hold if { nbsrv(${backend}) eq 0 }`,
    `  default_backend ${backend}`,
    '',
  ]
}

function forward(routes: ServedRoute[], settings: HaproxySettings): string[] {
  const { forward, limits } = settings
  const ways = new Set(['http', ...routes.map(wayOf)])
  return [
    '# Other machines. ALPN says what they want; no instance here, no handshake.',
    'frontend forward from tandem_tcp',
    `  bind ${forward.host}:${forward.port}`,
    ...gate(routes, settings),
    `  tcp-request inspect-delay ${limits.connectMs}ms`,
    '  tcp-request content reject if !{ req.ssl_hello_type 1 }',
    ...routes.map(
      (route) =>
        `  use_backend to_forwarded_${wayOf(route)} if { req.ssl_alpn ${route.answersTo.join(' ')} } { nbsrv(${route.forwarded}) gt 0 }`,
    ),
    '',
    ...[...ways].flatMap((way) => [
      `backend to_forwarded_${way} from tandem_tcp`,
      `  server own unix@${settings.files.run}/forwarded-${way}.sock send-proxy-v2`,
      '',
    ]),
    '# Which machine holds which connection, so that those of a removed machine can be cut.',
    'backend forwarded_by from tandem_tcp',
    `  stick-table type string len 200 size ${limits.connections} expire 1m store conn_cur`,
    '',
  ]
}

/** The socket behind which this route's TLS ends: at the entry host and path tell routes apart, elsewhere the socket alone. */
function wayOf({ planned: { own }, frontend }: ServedRoute): string {
  if (own === null) return 'http'
  return own.public ? `tcp-${own.name}` : socketOf(frontend)
}

/** The socket of a frontend, through which an old worker hands over. */
const socketOf = (frontend: string): string => frontend.replaceAll('_', '-')

function forwardedBind(way: string, settings: HaproxySettings): string {
  const { machine, authority } = settings.files
  return `  bind ${ownSocket(settings, `forwarded-${way}`)} accept-proxy ssl crt ${machine} ca-file ${authority} verify required`
}

function admission({ files }: HaproxySettings): string[] {
  return [
    '  tcp-request session set-var(sess.from) src',
    '  tcp-request session set-var(sess.port) src_port',
    '  tcp-request session track-sc0 ssl_c_s_dn(CN),concat(@,sess.from),concat(:,sess.port) table forwarded_by',
    `  tcp-request session reject if !{ ssl_c_s_dn(CN) -m reg -f ${files.machines} }`,
  ]
}

function forwardedHttp(routes: ServedRoute[], settings: HaproxySettings): string[] {
  return [
    'frontend forwarded_http from tandem_http',
    forwardedBind('http', settings),
    ...admission(settings),
    `  http-request return ${refusedUnprocessed('this service')} if METH_CONNECT`,
    ...chooseByAddress(
      routes.filter(({ planned }) => planned.own === null),
      ({ forwarded }) => [[forwarded, '']],
    ),
    '  default_backend unprocessed',
    '',
    'backend unprocessed from tandem_http',
    `  http-request return ${refusedUnprocessed('this service')}`,
    '',
  ]
}

/** Routes with a port of their own, each behind a socket of its own. */
function forwardedPorts(kind: 'http' | 'tcp', ports: ServedRoute[], settings: HaproxySettings): string[] {
  const routes = ports.filter(({ planned }) => planned.kind === kind).map((route, index) => ({ route, id: index + 1 }))
  if (routes.length === 0) return []
  return [
    `frontend forwarded_${kind === 'tcp' ? 'tcp' : 'http_ports'} from tandem_${kind}`,
    ...routes.map(({ route, id }) => `${forwardedBind(wayOf(route), settings)} id ${id}`),
    ...admission(settings),
    ...(kind === 'http' ? [`  http-request return ${refusedUnprocessed('this service')} if METH_CONNECT`] : []),
    ...routes.map(({ route, id }) => `  use_backend ${route.forwarded} if { so_id ${id} }`),
    '',
  ]
}

function refusedUnprocessed(service: string): string {
  return `status 425 content-type "text/plain; charset=utf-8" hdr ${unprocessedHeader} 1 string ${textOf(unprocessed(service))}`
}

function clientBackend(route: ServedRoute, settings: HaproxySettings): string[] {
  const { planned, backend, frontend } = route
  const { service } = planned
  const retired = '{ var(proc.retired) -m int 1 }'
  const common = [
    ...heading(route),
    `backend ${backend} from tandem_${planned.kind}`,
    '  balance leastconn',
    '  option allbackups',
    ...idle(route),
  ]
  // Weight 0: only the rule leads there, once this worker is an old one.
  const over = [
    `  use-server ${newWorker} if ${retired}`,
    `  # server of an old worker: hands over to the new one`,
    `  server ${newWorker} unix@${settings.files.run}/${socketOf(frontend)}.sock weight 0${planned.kind === 'tcp' ? ' send-proxy-v2' : ''}`,
  ]
  if (planned.kind === 'tcp') return [...common, ...over]
  return [
    ...common,
    // Nothing is sent again that an instance may have seen. 425 is what a machine says that has begun nothing; instances here may say it, too.
    '  retry-on conn-failure 425',
    `  http-request disable-l7-retry if { nbsrv(${route.forwarded}) gt 0 }`,
    ...bodyLimit(route),
    '  http-request lua.hold if { nbsrv eq 0 }',
    `  http-response return ${page(noInstance(service, null))} if { status 425 } { res.hdr(${unprocessedHeader}) -m found }`,
    `  http-response del-header ${unprocessedHeader}`,
    `  http-response set-status 425 if { res.hdr(${tooEarlyHeader}) -m found }`,
    `  http-response del-header ${tooEarlyHeader}`,
    `  http-error ${page(noInstance(service, null))}`,
    cutOff(service, settings),
    ...over,
  ]
}

function forwardedBackend(route: ServedRoute, settings: HaproxySettings): string[] {
  const { planned, forwarded } = route
  const { service } = planned
  const common = [
    `# ${service}, asked by other machines`,
    `backend ${forwarded} from tandem_${planned.kind}`,
    '  balance leastconn',
    ...idle(route),
  ]
  if (planned.kind === 'tcp') return common
  const page503 = { ...unprocessed(service) }
  return [
    ...common,
    `  http-request return ${refusedUnprocessed(service)} if { nbsrv eq 0 }`,
    `  http-response del-header ${unprocessedHeader}`,
    // An instance's own: the other machine must not take it for ours.
    `  http-response set-header ${tooEarlyHeader} 1 if { status 425 }`,
    '  http-response set-status 503 if { status 425 }',
    `  http-error ${page(page503)}`,
    cutOff(service, settings),
    `  http-after-response set-status 425 if { status 503 } { res.hdr(${unprocessedHeader}) -m found }`,
  ]
}

/** The page for a request whose instance ended before it answered, with the reason. */
function cutOff(service: string, { files }: HaproxySettings): string {
  const reason = `%[srv_name,map_str(${files.stopped},no answer came)]`
  return `  http-error ${page(brokenOff(service, reason), 'lf-string')}`
}

function heading({ planned }: ServedRoute): string[] {
  return [`# Service ${planned.service}, at ${where(planned)}. Definition: tandem status ${planned.service}`]
}

function where(planned: PlannedRoute): string {
  if (planned.kind === 'http' && planned.own === null) return `${planned.host ?? 'any host'}${planned.path}`
  return planned.own === null ? planned.service : ownPortInWords(planned.own)
}

/** HAProxy counts milliseconds in 31 bits: longer limits are the longest it has. */
const longestMs = 2 ** 31 - 1

function idle({ planned }: ServedRoute): string[] {
  return planned.idleMs === null ? [] : [`  timeout tunnel ${Math.min(planned.idleMs, longestMs)}ms`]
}

function noRouteBackend(planned: boolean): string[] {
  const answer = planned ? noRoute('%[var(txn.host)]') : notPlanned()
  return ['backend no_route from tandem_http', `  http-request return ${page(answer, 'lf-string')}`, '']
}

function ownSocket({ files, user }: HaproxySettings, name: string): string {
  const owner = user === null ? '' : ` user ${user}`
  return `unix@${files.run}/${name}.sock mode 600${owner}`
}
