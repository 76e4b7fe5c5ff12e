import { refuse, type Refusal } from './shapes/refusal.ts'

/**
 * Rules for hosts, paths and output folders: used where YAML is read, and without YAML where definitions come over the
 * wire.
 */
export const longestHost = 253
export const longestPath = 1024
export const longestOutput = 1024
const label = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/

/** A request target for probes: a path, optionally with a query. */
export const healthPathPattern = /^\/[\u0021-\u007e]{0,1023}$/

export function checkOutput(written: string): string | Refusal {
  if (written.length > longestOutput) return refuse(`the path is longer than ${longestOutput} characters`)
  // oxlint-disable-next-line no-control-regex
  if (/[\u0000-\u001f\u007f]/.test(written)) return refuse('the path holds control characters')
  if (written.startsWith('/') || written.startsWith('~') || /^[A-Za-z]:[\\/]/.test(written)) {
    return refuse(`"${written.slice(0, 60)}" is absolute; the output must be a folder inside the definition's own`)
  }
  const segments = written.split('/').filter((segment) => segment !== '' && segment !== '.')
  if (written.split(/[/\\]/).includes('..')) {
    return refuse(`"${written.slice(0, 60)}" may leave the definition's folder (\`..\`); the output must be inside it`)
  }
  if (segments.length === 0) return refuse('leave `output` out to release the folder itself')
  return segments.join('/')
}

export const hostIsValid = (host: string): boolean =>
  host.length <= longestHost && host.split('.').every((part) => label.test(part))

/** Whether a route may have this path: no query, no empty or dotted segments, no slash at the end. */
export const pathIsValid = (path: string): boolean =>
  path === '/' || (typeof checkPath(path) === 'string' && !path.endsWith('/'))

export function checkHost(written: string): string | Refusal {
  const bare = written
    .toLowerCase()
    .replace(/^[a-z]+:\/\//, '')
    .replace(/[/:].*$/s, '')
    .replace(/\.$/, '')
  const host = written.toLowerCase()
  if (hostIsValid(host)) return host
  if (host.startsWith('*.'))
    return refuse('wildcard hosts are not supported; name each host, or leave `host` out for any')
  const better = bare !== host && bare !== '' && hostIsValid(bare) ? bare : null
  return refuse(`"${host.slice(0, 60)}" is not a host name such as shop.example.com`, better)
}

export function checkPath(written: string): string | Refusal {
  if (!written.startsWith('/')) return refuse('a path starts with /', written.length < 100 ? `/${written}` : null)
  if (written.length > longestPath) return refuse(`the path is longer than ${longestPath} characters`)
  if (/[?#]/.test(written)) return refuse('a path holds no query and no fragment', written.replace(/[?#].*$/s, ''))
  // oxlint-disable-next-line no-control-regex
  if (/[^\u0021-\u007e]/.test(written)) return refuse('a path holds only printable ASCII; write others as %XX')
  const path = written === '/' ? '/' : written.replace(/\/$/, '')
  if (path.includes('//')) return refuse('the path has an empty segment', path.replaceAll(/\/{2,}/g, '/'))
  if (/\/\.\.?(\/|$)/.test(path)) return refuse('the path has a segment `.` or `..`, which no request has')
  return path
}
