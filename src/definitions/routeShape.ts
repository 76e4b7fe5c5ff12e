import { checkHost, checkPath, longestHost, longestPath } from './pathRules.ts'
import { group, optional } from './shapes/group.ts'
import { number } from './shapes/number.ts'
import { text } from './shapes/text.ts'

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
