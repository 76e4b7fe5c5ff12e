import { expect, it } from 'vitest'
import { judgeMember, type Member } from './judgeMember.ts'

const well: Member = {
  ...{ machine: 'a', state: 'ready', reportAgeMs: 900, version: '0.1.0', controllerVersion: '0.1.0', problems: [] },
  ...{ clock: { offsetMs: 40, roundTripMs: 30 }, silent: null },
}

it.each<[string, Partial<Member>, (string | RegExp)[]]>([
  ['nothing is wrong', {}, []],
  ['it is in maintenance', { state: 'drained' }, []],
  ['one minor version apart', { version: '0.2.3' }, []],
  ['two minor versions apart', { version: '0.3.0' }, [/version 0\.3\.0, the controller 0\.1\.0/]],
  ['another major version', { version: '1.1.0' }, [/more than one minor version apart/]],
  [
    'the clock is ahead',
    { clock: { offsetMs: 61_000, roundTripMs: 20 } },
    [/61\.0 s ahead of the controller's \(measured within 10 ms\)/],
  ],
  ['the clock is behind', { clock: { offsetMs: -700, roundTripMs: 20 } }, [/0\.7 s behind/]],
  ['the request took too long to measure the clock', { clock: { offsetMs: 900, roundTripMs: 1_000 } }, []],
  ['the machine is lost', { state: 'lost', reportAgeMs: 60_000, clock: null }, [/last report came 60 s ago/]],
  [
    'the machine never reported',
    { reportAgeMs: null, version: null, clock: null },
    [/not reported since the controller started/],
  ],
  ['the machine has a problem', { problems: ['balancer: refused'] }, ['balancer: refused']],
  [
    'the machine does not answer',
    { silent: 'machine a did not answer', clock: null },
    ['not checked: machine a did not answer'],
  ],
])('%s', (_what, changed, expected) => {
  const found = judgeMember({ ...well, ...changed }).map(({ what }) => what)
  expect(found).toEqual(expected.map((text) => (typeof text === 'string' ? text : expect.stringMatching(text))))
})
