import { word } from './configWords.ts'
import type { ServedRoute } from './servedRoute.ts'

/** The rule that keeps the host of a request in `txn.host`, for the choice of a backend. */
export const setHost = '  http-request set-var(txn.host) req.hdr(host),host_only,lower,rtrim(.)'

/** Needs `setHost` before. Routes of a host come before routes of any host; among them the longest path, on segment boundaries. */
export function chooseByAddress(
  routes: ServedRoute[],
  backends: (route: ServedRoute) => [backend: string, condition: string][],
): string[] {
  const found = routes.flatMap((route) => (route.planned.kind === 'http' ? [{ route, ...route.planned }] : []))
  found.sort((a, b) => Number(a.host === null) - Number(b.host === null) || b.path.length - a.path.length)
  return found.flatMap(({ route, service, host, path }) => {
    const prefix = path.replace(/\/$/, '')
    const of = `path_of_${route.backend}`
    const onHost = host === null ? '' : `{ var(txn.host) -m str -- ${word(host)} }`
    return [
      `  # ${service}: ${host ?? 'any host'}${path}`,
      ...(prefix === ''
        ? []
        : [`  acl ${of} path -m str -- ${word(prefix)}`, `  acl ${of} path -m beg -- ${word(`${prefix}/`)}`]),
      ...backends(route).map(([backend, condition]) => useBackend(backend, onHost, prefix === '' ? '' : of, condition)),
    ]
  })
}

/** Uses the backend if all of these conditions hold; empty conditions always hold. */
export function useBackend(backend: string, ...conditions: string[]): string {
  const all = conditions.filter(Boolean).join(' ')
  return `  use_backend ${backend}${all === '' ? '' : ` if ${all}`}`
}
