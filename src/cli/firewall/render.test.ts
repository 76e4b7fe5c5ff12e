import { expect, it } from 'vitest'
import type { CallView, GuardView } from '../../api/firewall.ts'
import { guardLines, refusalLines, refusedBy, whyLines } from './render.ts'

const plain = (_: string, text: string): string => text
const now = Date.parse('2026-01-02T00:00:00Z')
const counted = (count: number) => ({ count, first: '2026-01-01T00:00:00.000Z', last: '2026-01-01T23:00:00.000Z' })
const call = (over: Partial<CallView> = {}): CallView => ({
  ...{ from: 'shop', to: 'postgres', may: true, seen: counted(12), refused: null },
  ...over,
})
const stranger = call({ from: 'user man', may: false, seen: null, refused: counted(3) })
const guard = (over: Partial<GuardView> = {}): GuardView => ({
  ...{ mode: 'enforce', since: '2026-01-01T00:00:00.000Z', calls: [call(), stranger] },
  machines: [{ machine: 'a', state: 'enforcing', why: null }],
  ...over,
})

it('shows who calls whom, who was refused, and machines that hold nothing', () => {
  const machines: GuardView['machines'] = [{ machine: 'b', state: 'unable', why: 'nft is not installed' }]
  expect(guardLines(guard({ machines }), now, plain).join('\n')).toMatchInlineSnapshot(`
    "enforce: connections that no \`uses\` names are refused
    b holds no rules: nft is not installed
    counted since 2026-01-01T00:00:00.000Z, at most 7 days

    FROM      TO        CONNECTIONS  REFUSED  LAST     MAY CONNECT
    shop      postgres  12           -        60m ago  yes
    user man  postgres  -            3        60m ago  no"
  `)
  expect(guardLines(guard({ mode: null }), now, plain)).toEqual([
    'nothing is guarded here: all services of a laptop run as one user',
  ])
  expect(guardLines(guard({ calls: [] }), now, plain).at(-1)).toBe('no connection between services was counted')
})

it('lists the connections that enforce would refuse, but for users that the new file names', () => {
  const calls = [call(), stranger, call({ refused: counted(1) })]
  expect(refusedBy(calls, [])).toEqual([stranger])
  expect(refusedBy(calls, ['man'])).toEqual([])
  expect(refusalLines([stranger], plain).join('\n')).toMatchInlineSnapshot(`
    "\`enforce\` would refuse these connections of the last 7 days:
    FROM      TO        CONNECTIONS  LAST
    user man  postgres  3            2026-01-01T23:00:00.000Z"
  `)
  expect(refusalLines([], plain)).toEqual(['`enforce` would refuse none of the connections of the last 7 days'])
})

it('says why, and the next step', () => {
  const why = {
    from: 'user man',
    to: 'postgres',
    may: false,
    why: 'it is not named',
    next: 'name it',
    refused: counted(3),
  }
  expect(whyLines(why, plain)).toEqual([
    'user man may not connect to postgres: it is not named',
    'refused 3 times in the last 7 days, last at 2026-01-01T23:00:00.000Z',
    'next  name it',
  ])
})
