import { createHash } from 'node:crypto'
import { sealed } from '../../../lib/seal.ts'
import type { PlannedRoute } from '../balancer.ts'
import { ownPortInWords } from '../ownPorts.ts'
import { brokenOff, noInstance, noRoute, notPlanned, unprocessed } from '../pages.ts'
import { tooEarlyHeader, unprocessedHeader } from '../forwarding.ts'
import { backendsOf, bodyLimit, countingBackend } from './bodyLimit.ts'
import { chooseByAddress, setHost, useBackend } from './chosenBackend.ts'
import { fromClients } from './clientHeaders.ts'
import { configuredServers, newWorker, serverLine, type ConfiguredServer } from './configuredServer.ts'
import type { HaproxySettings } from './haproxySettings.ts'
import { maxconnFor } from './openFiles.ts'
import { addressesOf, type ServedRoute } from './servedRoute.ts'
import { handedOver, page, textOf, word } from './configWords.ts'

/**
 * The complete configuration of HAProxy (configuration manual of 2.6). The same plan and settings give the same bytes.
 * `null`: no plan was applied yet. Sections:
 *
 *   entry              takes requests of clients; host and path choose the backend
 *   tcp_PORT           a public port of one service
 *   local_SERVICE_PORT a port of one service at its loopback address, for programs on the machines
 *   count_SERVICE      counts bodies without a length, if they have a limit, and returns them to their frontend
 *   svc_SERVICE        local instances first, peers when none is left
 *   forward            takes work of other machines: chooses by ALPN, before any handshake, so that a service without
 *                      an instance here is refused as if nothing listened, and the other machine tries elsewhere
 *   forwarded_http/tcp ends that TLS; only machines with a certificate of this cluster are admitted
 *   fwd_SERVICE        local instances only: work is never forwarded twice
 *
 * An old worker hands the work that still arrives after a reload to the new worker, through their own sockets.
 */
export function haproxyConfig(routes: ServedRoute[] | null, settings: HaproxySettings): string {
  const servers = configuredServers(routes ?? [], settings)
  const body = sections(routes, settings, servers)
  const lines = [`# Written by Tandem for machine ${settings.machine}: changes made here are overwritten.`, '']
  return sealed(lines.concat(globalSection(settings, shapeOf(body, settings)), body).join('\n'))
}

/**
 * Identifies the part that only a reload can change: everything but the servers. Two configurations with the same shape
 * differ only by run-time commands.
 */
function shapeOf(body: string[], settings: HaproxySettings): string {
  const lines = body.filter((line) => !line.startsWith('  server ') && !line.startsWith('  # server'))
  const all = [...globalSection(settings, ''), settings.certificatesHash, ...lines].join('\n')
  return createHash('sha256').update(all).digest('hex').slice(0, 32)
}

/** The shape recorded in a configuration or in `show info`; `null`: not written by Tandem. */
export function shapeIn(text: string): string | null {
  return /description:? "?tandem ([0-9a-f]{32})/i.exec(text)?.[1] ?? null
}

/** The socket on which the worker itself, not the master, answers read-only requests. */
export const guardSocket = 'guard.sock'

function globalSection({ limits, files, user }: HaproxySettings, shape: string): string[] {
  return [
    'global',
    `  description "tandem ${shape}"`,
    ...(user === null ? [] : [`  user ${user}`, `  group ${user}`]),
    // Rules below refuse connections above their limit; HAProxy's own limit would leave them waiting.
    `  maxconn ${maxconnFor(limits.connections)}`,
    // If the machine allows fewer open files, HAProxy accepts fewer connections instead of none.
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
    '# There is no timeout for clients and servers on purpose: silent connections live until their hosts are gone.',
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
    '# Requests of clients, and requests that an old worker hands over after a reload.',
    'frontend entry from tandem_http',
    `  bind ${host}:${httpPort}`,
    ...(https ? [`  bind ${host}:${https.port} ssl crt ${word(https.certificates)} alpn h2,http/1.1`] : []),
    `  bind ${ownSocket(settings, 'entry')} id 9`,
    // At the address of a service that does not listen just now, its clients must not reach another service.
    `  tcp-request connection reject if !${handedOver} { dst 127.77.0.0/16 }`,
    ...gate(routes, settings),
    setHost,
    ...fromClients(settings, { tls: https !== null }),
    ...chooseByAddress(atEntry, backendsOf),
    '  default_backend no_route',
    '',
  ]
}

/**
 * Refuses a connection at once and counts it; open connections continue. Connections among HAProxy's own parts are not
 * counted.
 */
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

/** The name of a variable. Such a name may not contain a hyphen, and no service name contains a dot. */
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
    return [...begin, ...fromClients(settings, { tls: false }), ...chosen, '']
  }
  return [
    ...begin,
    // The delay limits a hold; without a hold nothing waits.
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
    '# Work from other machines. ALPN names the route; without an instance here there is no handshake.',
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
    '# Connections by machine, so that the connections of a removed machine can be cut.',
    'backend forwarded_by from tandem_tcp',
    `  stick-table type string len 200 size ${limits.connections} expire 1m store conn_cur`,
    '',
  ]
}

/**
 * The socket behind which the TLS of this route ends: at the entry, host and path distinguish routes; elsewhere only
 * the socket does.
 */
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
    setHost,
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

/** Routes with their own port, each behind its own socket. */
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
  // Weight 0: only the rule uses this server, once this worker is an old one.
  const over = [
    `  use-server ${newWorker} if ${retired}`,
    `  # server of an old worker: hands work over to the new worker`,
    `  server ${newWorker} unix@${settings.files.run}/${socketOf(frontend)}.sock weight 0${planned.kind === 'tcp' ? ' send-proxy-v2' : ''}`,
  ]
  if (planned.kind === 'tcp') return [...common, ...over]
  return [
    ...common,
    // No request is sent again that an instance may have seen. A machine answers 425 if it has begun nothing; an
    // instance here may also answer 425.
    '  retry-on conn-failure 425',
    `  http-request disable-l7-retry if { nbsrv(${route.forwarded}) gt 0 }`,
    ...bodyLimit(route),
    '  http-request lua.hold if { nbsrv eq 0 }',
    `  http-response allow if !{ res.hdr(${unprocessedHeader}) -m found } !{ res.hdr(${tooEarlyHeader}) -m found }`,
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
    `# ${service}, for requests from other machines`,
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
    // A 425 from the instance itself: the other machine must not take it for a 425 from HAProxy.
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

/** HAProxy stores milliseconds in 31 bits: a longer limit becomes the longest possible one. */
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
