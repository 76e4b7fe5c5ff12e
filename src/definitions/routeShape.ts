import { checkHost, checkPath, hostIsValid, longestHost, longestPath, pathIsValid } from './pathRules.ts'
import { exposures } from './bounds.ts'
import { group, optional } from './shapes/group.ts'
import { number } from './shapes/number.ts'
import type { KeptGroup } from './shapes/kept.ts'
import type { Shape } from './shapes/shape.ts'
import { choice, text } from './shapes/text.ts'

const written = group('a route', {
  host: optional(
    text({ expects: 'a host name such as shop.example.com', schema: { maxLength: longestHost }, check: checkHost }),
    'Host name of requests, in upper or lower case. Left out: any host.',
    ['domain', 'hostname', 'server'],
  ),
  path: optional(
    text({ expects: 'a path that starts with /', schema: { maxLength: longestPath, pattern: '^/' }, check: checkPath }),
    'Path prefix, matched on whole segments and kept in the request. Left out: `/`.',
    ['prefix', 'pathPrefix', 'location'],
  ),
  port: optional(
    number({ whole: true, least: 1, most: 65_535, what: 'a port' }),
    'Port that the route listens on. Every tcp route has one, and so does an http route that is `local`.',
    ['listen', 'published'],
  ),
  expose: optional(
    choice(exposures),
    "Who may reach the route: `public`, everybody; `local`, programs on the cluster's machines. Left out: `public` for http, `local` for tcp.",
    ['visibility', 'access', 'internal', 'bind'],
  ),
})

const host = {
  kind: 'text',
  least: 1,
  most: longestHost,
  refuse: refuseUnless(hostIsValid, 'is not a host name'),
} as const
const path = { kind: 'text', least: 1, most: longestPath, refuse: refuseUnless(pathIsValid, 'is not a path') } as const
const stored = { nullable: false, omitted: false }
/** At the entry, so public. */
const httpRoute: KeptGroup = {
  kind: 'group',
  keys: { host: { ...stored, kept: host, nullable: true }, path: { ...stored, kept: path } },
}
/** With a port of its own: every tcp route, and an http route that is `local`. */
const portRoute: KeptGroup = {
  kind: 'group',
  keys: {
    port: { ...stored, kept: { kind: 'number', whole: true, least: 1, most: 65_535 } },
    expose: { ...stored, kept: { kind: 'choice', words: exposures }, omitted: true },
    byDefault: { ...stored, kept: { kind: 'flag', only: true }, omitted: true },
  },
}

/** Which of both forms a route is stored in depends on `listen`: `checkRoutes` decides, after all is read. */
export const route: Shape<typeof written.blank> = {
  ...written,
  kept: { kind: 'either', of: [httpRoute, portRoute] },
  store: (value) => value,
}

function refuseUnless(isValid: (text: string) => boolean, problem: string): (text: string) => string | null {
  return (text) => (isValid(text) ? null : problem)
}
