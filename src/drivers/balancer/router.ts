/** Where an HTTP route answers: a lowercase host, or `null` for any host; and a path prefix. */
export interface HttpAddress {
  host: string | null
  path: string
}

interface Entry<Route> {
  prefix: string
  route: Route
}

/**
 * Finds the route of a request: routes of its host come before routes of any host; among them the longest path wins.
 */
export class Router<Route extends HttpAddress> {
  readonly #hosts = new Map<string, Entry<Route>[]>()
  readonly #anyHost: Entry<Route>[] = []

  constructor(routes: Iterable<Route>) {
    for (const route of routes) this.#listFor(route.host).push({ prefix: withoutSlash(route.path), route })
    for (const list of [...this.#hosts.values(), this.#anyHost]) {
      list.sort((a, b) => b.prefix.length - a.prefix.length)
    }
  }

  /** `target` is the request target as received, with its query string; percent-encoding is not decoded. */
  match(host: string, target: string): Route | null {
    const named = this.#hosts.get(host)
    return (named && find(named, target)) ?? find(this.#anyHost, target)
  }

  #listFor(host: string | null): Entry<Route>[] {
    if (host === null) return this.#anyHost
    const list = this.#hosts.get(host) ?? []
    this.#hosts.set(host, list)
    return list
  }
}

/** The name in a `Host` header: lowercase, without port and without the final dot. */
export function hostName(header: string): string {
  const end = header.startsWith('[') ? header.indexOf(']') + 1 : header.indexOf(':')
  const name = (end > 0 ? header.slice(0, end) : header).toLowerCase()
  return name.endsWith('.') ? name.slice(0, -1) : name
}

/**
 * Splits an absolute-form target (RFC 9112, 3.2.2) into its authority and the rest; `null` if the target has another
 * form.
 */
export function absoluteTarget(target: string): { authority: string; path: string } | null {
  const found = /^https?:\/\/([^/?#]*)(.*)$/i.exec(target)
  if (!found) return null
  const [, authority = '', rest = ''] = found
  return { authority, path: rest.startsWith('/') ? rest : `/${rest}` }
}

function find<Route>(entries: Entry<Route>[], target: string): Route | null {
  for (const { prefix, route } of entries) {
    if (target.startsWith(prefix) && endsSegment(target, prefix.length)) return route
  }
  return null
}

function endsSegment(target: string, at: number): boolean {
  if (at === 0 || at === target.length) return true
  const next = target.charCodeAt(at)
  return next === 0x2f || next === 0x3f // '/' or '?'
}

function withoutSlash(path: string): string {
  return path.endsWith('/') ? path.slice(0, -1) : path
}
