import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hasNames, withNames } from './hostsBlock.ts'

const names = [
  { service: 'mail', address: '127.77.1.9' },
  { service: 'postgres', address: '127.77.3.4' },
]
const block = `# BEGIN Tandem: names of services, see \`tandem names\`. Tandem rewrites these lines.
127.77.1.9 mail.tandem.internal
127.77.3.4 postgres.tandem.internal
# END Tandem
`
const own = '127.0.0.1 localhost\n::1 localhost ip6-localhost\n'

describe('the names of services in a hosts file', () => {
  it('stand below the lines of others, in marks', () => {
    expect(withNames(own, names)).toBe(own + block)
    expect(withNames('', names)).toBe(block)
    expect(withNames('127.0.0.1 localhost', names)).toBe(`127.0.0.1 localhost\n${block}`)
  })

  it('replace those from before, wherever they stand, and leave nothing when there are none', () => {
    const before = `127.0.0.1 localhost\n${block}10.0.0.5 printer\n`
    expect(withNames(before, names.slice(1))).toBe(
      `127.0.0.1 localhost\n10.0.0.5 printer\n${block.replace('127.77.1.9 mail.tandem.internal\n', '')}`,
    )
    expect(withNames(before, [])).toBe('127.0.0.1 localhost\n10.0.0.5 printer\n')
    expect([hasNames(before), hasNames(own)]).toEqual([true, false])
  })

  it.each([
    ['the end is missing', block.replace('# END Tandem\n', '')],
    ['the begin is missing', block.slice(block.indexOf('\n') + 1)],
    ['the block is there twice', block + block],
  ])('are written once when %s', (_, damaged) => {
    expect(withNames(own + damaged, names)).toBe(own + block)
  })

  it('change nothing else, and are the same when written again', () => {
    const line = fc.stringMatching(/^[ -~\t]{0,60}$/).filter((text) => !/Tandem|tandem\.internal/.test(text))
    const property = fc.property(fc.array(line), (lines) => {
      const text = lines.length === 0 ? '' : `${lines.join('\n')}\n`
      const once = withNames(text, names)
      expect(withNames(once, names)).toBe(once)
      expect(once.endsWith(block)).toBe(true)
      expect(withNames(once, []).trimEnd()).toBe(text.trimEnd())
    })
    fc.assert(property)
  })
})
