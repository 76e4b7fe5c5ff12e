import { expect, it } from 'vitest'
import { mostFindings, type Checkup } from '../protocol/checkup.ts'
import { wrong } from './findings.ts'
import { mergeCheckups } from './mergeCheckups.ts'

const problem = wrong('report', 'the guard does not run', 'look')
const known: Checkup = { machine: 'a', checked: ['report', 'clock'], findings: [problem] }

it('a finding of both the controller and the machine appears once, those of the controller first', () => {
  const disk = wrong('disk', 'full', 'empty it')
  const own: Checkup = {
    ...{ machine: 'a', checked: ['agent', 'report', 'clock', 'disk'] },
    findings: [{ ...problem, next: 'another' }, disk, { ...disk, what: problem.what }],
  }
  expect(mergeCheckups(known, own)).toEqual({
    ...{ machine: 'a', checked: ['report', 'clock', 'agent', 'disk'] },
    findings: [problem, disk, { ...disk, what: problem.what }],
  })
})

it('the certificates are those that the machine lists', () => {
  const certificates = [{ name: 'a', kind: 'own' as const, until: '2027-01-01T00:00:00.000Z' }]
  expect(mergeCheckups(known, { ...known, certificates })).toEqual({ ...known, certificates })
})

it('for a machine that does not answer, the findings of the controller are used', () => {
  expect(mergeCheckups(known, null)).toEqual(known)
})

it('limits the number of findings to what an answer may contain', () => {
  const many = Array.from({ length: mostFindings + 1 }, (_, index) => wrong('disk', `${index}`, null))
  expect(mergeCheckups(known, { ...known, findings: many }).findings).toHaveLength(mostFindings)
})
