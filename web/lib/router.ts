import { signal } from '@preact/signals'

/** An address within the page: every view has one that can be kept and shared. */
export interface Address {
  path: string
  query: URLSearchParams
}

const read = (): Address => ({ path: location.pathname, query: new URLSearchParams(location.search) })

/** The present address. */
export const address = signal<Address>(typeof location === 'undefined' ? emptyAddress() : read())

function emptyAddress(): Address {
  return { path: '/', query: new URLSearchParams() }
}

/** Goes to another address; `replace` leaves no step for the way back, `stay` does not scroll. */
export function go(to: string, { replace = false, stay = replace }: { replace?: boolean; stay?: boolean } = {}): void {
  const url = new URL(to, location.href)
  if (url.href === location.href) return
  history[replace ? 'replaceState' : 'pushState'](null, '', url.pathname + url.search)
  address.value = read()
  if (!stay) scrollTo(0, 0)
}

/** Changes some of the query, such as a time range: `null` removes a name. */
export const setQuery = (changes: Record<string, string | null>): void =>
  go(`${location.pathname}${queryWith(changes)}`, { replace: true })

/** The present query with some changes; `null` removes a name. */
export function queryWith(changes: Record<string, string | null>): string {
  const query = new URLSearchParams(address.peek().query)
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) query.delete(name)
    else query.set(name, value)
  }
  const text = query.toString()
  return text === '' ? '' : `?${text}`
}

/** Follows links within the page without a load; `meant` may lead them elsewhere. Returns the function that stops it. */
export function followLinks(meant: (url: URL) => URL): () => void {
  const clicked = (event: MouseEvent): void => {
    const link = event.target instanceof Element ? event.target.closest('a') : null
    const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey
    if (!link || !isPlain || event.defaultPrevented || link.target !== '' || link.hasAttribute('download')) return
    if (link.origin !== location.origin || link.getAttribute('href')?.startsWith('#')) return
    event.preventDefault()
    go(meant(new URL(link.href)).href)
  }
  const moved = (): void => {
    address.value = read()
  }
  document.addEventListener('click', clicked)
  addEventListener('popstate', moved)
  return () => {
    document.removeEventListener('click', clicked)
    removeEventListener('popstate', moved)
  }
}

/** The values of `pattern`'s names in a path, such as `/rollouts/:id`; `null`: the path is another. */
export function matchPath(pattern: string, path: string): Record<string, string> | null {
  const [wanted, given] = [pattern, path].map((one) => one.split('/').filter((part) => part !== ''))
  if (wanted?.length !== given?.length) return null
  const found: Record<string, string> = {}
  for (const [index, part] of (wanted ?? []).entries()) {
    const value = given?.[index] ?? ''
    if (part.startsWith(':')) {
      const decoded = decode(value)
      if (decoded === null) return null
      found[part.slice(1)] = decoded
    } else if (part !== value) return null
  }
  return found
}

function decode(text: string): string | null {
  try {
    return decodeURIComponent(text)
  } catch {
    return null
  }
}
