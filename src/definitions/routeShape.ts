import { group, optional } from './shapes/group.ts'
import { number } from './shapes/number.ts'
import { refuse, type Refusal } from './shapes/shape.ts'
import { text } from './shapes/text.ts'

const longestHost = 253
const longestPath = 1024
const label = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/

export const route = group('a route', {
  host: optional(
    text({ expects: 'a host name such as shop.example.com', schema: { maxLength: longestHost }, check: checkHost }),
    'Host name that requests ask for, in any case. Left out: any host.',
    ['domain', 'hostname', 'server'],
  ),
  path: optional(
    text({ expects: 'a path that starts with /', schema: { maxLength: longestPath, pattern: '^/' }, check: checkPath }),
    'Path prefix, matched on whole segments and kept in the request. Left out: `/`.',
    ['prefix', 'pathPrefix', 'location'],
  ),
  port: optional(
    number({ whole: true, least: 1, most: 65_535, what: 'a port' }),
    'Only for `listen: tcp`: the port that every machine answers on.',
    ['listen', 'published'],
  ),
})

export const hostIsValid = (host: string): boolean =>
  host.length <= longestHost && host.split('.').every((part) => label.test(part))

/** A path that a route may have: no query, no empty or dotted segments, no slash at its end. */
export const pathIsValid = (path: string): boolean =>
  path === '/' || (typeof checkPath(path) === 'string' && !path.endsWith('/'))

function checkHost(written: string): string | Refusal {
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

function checkPath(written: string): string | Refusal {
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
