import { expect, it } from 'vitest'
import { plain, type Paint } from '../paint.ts'
import { at, releaseA } from '../testing/views.ts'
import { renderEvent } from './event.ts'
import { logLine } from './logLine.ts'
import { showBytes } from './names.ts'
import { renderReleases } from './releases.ts'
import { renderTable } from './table.ts'

const marked: Paint = (_style, text) => `\u001B[1m${text}\u001B[22m`

it('a table ignores colours in the width of its columns', () => {
  const rows = [
    ['a', marked('red', 'ready'), 'x'],
    ['longer', 'lost', ''],
  ]
  expect(renderTable(['NAME'], [['x\r\nforged  row']], plain)).toEqual(['NAME', 'x forged  row'])
  expect(renderTable(['NAME', 'STATE', 'NOTE'], rows, plain)).toEqual([
    'NAME    STATE  NOTE',
    `a       ${marked('red', 'ready')}  x`,
    'longer  lost',
  ])
})

it('an event is one line, with short ids and without large fields', () => {
  const data = {
    release: releaseA,
    machine: 'a',
    reason: 'exited with status 1',
    stop: [],
    start: [{ id: 'shop-1' }],
    mark: { boot: 1 },
  }
  expect(renderEvent({ position: 42, at: at(7.31), type: 'StepStarted', data }, plain)).toBe(
    '    42  2026-11-21 02:00:07.310  StepStarted  release=aaaaaaaaaaaa  machine=a  reason="exited with status 1"  start=shop-1',
  )
})

it('a line of output shows its time, its instance and its stream', () => {
  const line = { kind: 'line', at: at(1), service: 'shop', instance: 'shop-1', text: 'hello' } as const
  expect(logLine({ ...line, stream: 'out' }, { paint: plain })).toBe('02:00:01.000 shop-1 │ hello')
  expect(logLine({ ...line, stream: 'err' }, { paint: plain })).toBe('02:00:01.000 shop-1 ┃ hello')
  expect(logLine({ ...line, stream: 'tandem' }, { paint: plain })).toBe('02:00:01.000 shop-1 · hello')
})

it('releases show the machines that run them', () => {
  const release = {
    release: releaseA,
    service: 'shop',
    bytes: 3_200_000,
    publishedAt: at(0),
    collected: false,
    completedAt: at(9),
    by: null,
    source: null,
  }
  const source = { commit: '0123456789'.repeat(4), subject: `Shop:\n${'pay '.repeat(50)}`, dirty: true }
  const text = renderReleases(
    [
      { ...release, collected: true, completedAt: null, current: false, machines: [] },
      { ...release, current: true, machines: ['a', 'b'], by: 'ci\nbot', source },
    ],
    Date.parse(at(600)),
    plain,
  )
  expect(text.split('\n')).toEqual([
    'RELEASE       AGE  BY            COMMIT                                                     SIZE     ROLLED OUT         NOW',
    'aaaaaaaaaaaa  10m  not recorded  -                                                          3.1 MiB  never completed    removed by garbage collection; push it again to use it',
    'aaaaaaaaaaaa  10m  ci bot        01234567+changes Shop: pay pay pay pay pay pay pay pay p…  3.1 MiB  completed 10m ago  runs on a, b',
  ])
})

it('bytes are shown in a suitable unit', () => {
  expect([0, 1023, 1024, 20 * 1024, 5.5 * 1024 ** 2, 3 * 1024 ** 4].map(showBytes)).toEqual([
    ...['0 B', '1023 B', '1.0 KiB', '20 KiB', '5.5 MiB', '3.0 TiB'],
  ])
})

it('an event shows the one that it follows from and who called, on one line', () => {
  const source = { commit: '0123456789'.repeat(4), subject: 'two\nlines', dirty: false }
  const event = { position: 7, at: at(0), type: 'ReleasePublished', data: { service: 'shop', source } }
  const shown = (origin: object): string => renderEvent({ ...event, ...origin }, plain)
  const line = '     7  2026-11-21 02:00:00.000  ReleasePublished  service=shop  source=012345678901 "two\\nlines"'
  expect(shown({ by: 'ci\nbot', cause: 6 })).toBe(`${line}  after 6  by ci bot`)
  expect([shown({}), shown({ by: null, cause: null })]).toEqual([line, `${line}  origin not recorded`])
})
