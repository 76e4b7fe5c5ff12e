import { checkHost, checkPath, longestHost, longestPath } from './pathRules.ts'
import { exposures } from './bounds.ts'
import { group, optional } from './shapes/group.ts'
import { number } from './shapes/number.ts'
import { choice, text } from './shapes/text.ts'

export const route = group('a route', {
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
