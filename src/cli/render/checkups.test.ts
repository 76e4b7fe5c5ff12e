import { expect, it } from 'vitest'
import { plain } from '../paint.ts'
import { renderCheckups } from './checkups.ts'

it('lists the problems first, one aligned line each, then the checks that could not be made', () => {
  const unchecked = { area: 'clock', level: 'unchecked', what: 'not checked: no timedatectl', next: null } as const
  const wrong = { area: 'disk', level: 'wrong', what: '/d: 1 MiB of 9.0 GiB left', next: 'make room' } as const
  const shown = renderCheckups(
    [
      { machine: 'a', checked: ['ports'], findings: [unchecked] },
      { machine: 'b', checked: ['ports', 'disk'], findings: [wrong] },
    ],
    plain,
    0,
  )
  expect(shown).toBe(
    [
      '   MACHINE  WHERE  WHAT                         WHAT TO DO',
      '!  b        disk   /d: 1 MiB of 9.0 GiB left    make room',
      '?  a        clock  not checked: no timedatectl',
      '',
      '1 problem found: 3 checks on a, b; 1 check could not be made',
    ].join('\n'),
  )
  const well = { machine: 'a', checked: ['disk'], findings: [] }
  expect(renderCheckups([well], plain, 0)).toBe('no problem found: 1 check on a')
  const kept = [60_000, 120_000].map((at) => ({ ...well, at: new Date(at).toISOString() }))
  expect(renderCheckups(kept, plain, 300_000)).toBe('no problem found: 2 checks on a, a; the oldest 4m ago')
})
