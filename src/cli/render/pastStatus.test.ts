import { expect, it } from 'vitest'
import type { PastStatus } from '../../api/past.ts'

import { at, instanceStatus, machineStatus, rolloutView, serviceStatus, statusView } from '../testing/views.ts'
import { renderPastStatus } from './pastStatus.ts'

const plain = (_: unknown, text: string): string => text

it('a status of the past says so, counts ages from then, and shows nothing that the log does not hold', () => {
  const rollout = rolloutView({ startedAt: at(-5) })
  const { controller, ...others } = statusView({ services: [] })
  const instance = { ...instanceStatus(), port: null, since: null, pid: null, restarts: null, work: null }
  const past: PastStatus = {
    ...others,
    asOf: { position: 40, at: at(0) },
    controller: { ...controller, version: null, problems: null },
    machines: [{ ...machineStatus({ state: 'lost' }), lastSeen: null, version: null, limits: null, problems: null }],
    services: [{ ...serviceStatus({ rollout }), instances: [instance] }],
  }
  expect(renderPastStatus(past, { paint: plain, whole: true }).split('\n')).toEqual([
    'as of position 40, 2026-11-21T02:00:00.000Z',
    'local  0 of 1 machine ready · 1 service · controller not started, term 1, position 40',
    '! machine a is lost',
    '',
    'MACHINE  STATE  ENTRY                  METRICS',
    'a        lost   http://127.0.0.1:8001  127.0.0.1:9001',
    '',
    'shop  aaaaaaaaaaaa  */',
    expect.stringMatching(/^ {2}running .* for 5\.0 s \(a fetch, b fetch\); rollout 4kf2m8xd$/),
    '  INSTANCE           MACHINE  RELEASE       STATE',
    '  shop-4kf2m8xd-a-1  a        aaaaaaaaaaaa  ready',
    '',
    'not recorded: reports, problems, versions and load of machines; ports, restarts and work of instances',
  ])
})
