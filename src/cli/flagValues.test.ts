import { expect, it } from 'vitest'
import { parseMachineCount, parsePort, parsePortRange, parseRelease, parseSize } from './flagValues.ts'

it('reads sizes as powers of 1024', () => {
  expect(['512M', '20G', '1.5K', '7', '1GiB', '2tb'].map(parseSize)).toEqual([
    ...[512 * 1024 ** 2, 20 * 1024 ** 3, 1536, 7, 1024 ** 3, 2 * 1024 ** 4],
  ])
})

it.each([
  [() => parseSize('much'), 'must be a size'],
  [() => parsePort('65536'), 'from 0 to 65535'],
  [() => parsePort('80x'), 'whole number'],
  [() => parseMachineCount('0'), 'from 1 to'],
  [() => parsePortRange('20000'), 'FIRST-LAST'],
  [() => parsePortRange('300-200'), 'below the first'],
  [() => parseRelease('zzz'), 'tandem releases SERVICE'],
])('refuses %s', (parse, why) => expect(parse).toThrow(why))

it('reads a range of ports', () => expect(parsePortRange('20000-20999')).toEqual({ first: 20_000, last: 20_999 }))
it('accepts a release id in upper case', () => expect(parseRelease('3F2A91bc04de')).toBe('3f2a91bc04de'))
