import { healthPath } from '../healthPath.ts'
import { checkHost, longestHost } from '../pathRules.ts'
import { argv } from '../shapes/argv.ts'
import { duration } from '../shapes/duration.ts'
import { as, group, omitted, optional, withDefault } from '../shapes/group.ts'
import { text } from '../shapes/text.ts'
import { headerShape } from './headerShape.ts'
import { statusShape } from './statusShape.ts'

const host = text({
  expects: 'a host name such as shop.example.com',
  schema: { maxLength: longestHost },
  check: checkHost,
})

export const healthShape = group('`health`', {
  command: omitted(
    optional(
      argv,
      'An instance is ready when this command exits with 0. It runs on its machine, as its user, in a copy of its jail. Left out: an http or tcp service is probed at its port.',
      ['cmd', 'exec', 'run', 'test', 'script'],
    ),
  ),
  path: withDefault(
    healthPath,
    '/',
    '/',
    'Only for `listen: http`: an instance is ready when this path answers 2xx or 3xx.',
    ['url', 'endpoint'],
  ),
  // Where no route names a host, a definition is stored as before this key existed.
  host: {
    ...optional(
      host,
      'Only for `listen: http`: the `Host` that probes send. Left out: the host of the first route that names one, else the address that is probed.',
      ['hostname', 'domain'],
    ),
    stored: { omitted: true },
  },
  status: omitted(
    optional(
      statusShape,
      'Only for `listen: http`: the statuses that count as ready, such as 204, "200-299", or a list of these. Left out: 2xx and 3xx.',
      ['statuses', 'codes', 'expect', 'expected_status', 'success_codes'],
    ),
  ),
  header: omitted(
    optional(headerShape, 'Only for `listen: http`: header fields that probes send. No secrets: releases are kept.', [
      'headers',
      'http_headers',
      'httpHeaders',
    ]),
  ),
  delay: as(
    'delayMs',
    omitted(
      optional(duration(10), 'No probe is sent before this, counted from the start, as `within` is. Left out: none.', [
        'initial_delay',
        'initialDelay',
        'initialDelaySeconds',
        'start_delay',
      ]),
    ),
  ),
  every: as(
    'everyMs',
    withDefault(duration(10), '100ms', 100, 'Time between probes until the instance is ready.', ['interval', 'period']),
  ),
  timeout: as('timeoutMs', withDefault(duration(10), '2s', 2000, 'A probe without an answer after this has failed.')),
  within: as(
    'withinMs',
    withDefault(duration(100), '30s', 30_000, 'An instance that is not ready after this fails the rollout.', [
      'deadline',
      'start_period',
      'deploy_timeout',
    ]),
  ),
  settle: as(
    'settleMs',
    withDefault(
      duration(0),
      '1s',
      1000,
      'Only for `listen: none`: an instance is not ready before it has been up for this long; without `command`, it is ready then.',
      ['grace'],
    ),
  ),
})
