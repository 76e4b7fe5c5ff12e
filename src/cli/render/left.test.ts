import { expect, it } from 'vitest'
import { renderLeft } from './left.ts'

const next =
  'next  remove the machine from cluster.yaml, then: tandem cluster apply cluster.yaml   (where a context works)'

it('lists everything that remains on a machine after --purge, its place, and the command that removes it', () => {
  const stays = [
    { what: 'the program', where: '/usr/lib/tandem', remove: 'apt remove tandem' },
    { what: 'output of services', where: 'the journal', remove: null },
  ]
  expect(renderLeft({ units: [], keptData: ['web'], stays }, true)).toBe(
    `
removed the agent and everything that it ran and wrote
  REMAINS             WHERE            REMOVE IT WITH
  the program         /usr/lib/tandem  apt remove tandem
  output of services  the journal      -
${next}
`.trim(),
  )
})

it('lists the units that continue without an agent', () => {
  const left = { units: ['tandem-web-1.service'], keptData: ['web'], stays: [] }
  expect(renderLeft(left, false).split('\n').slice(0, 4)).toEqual([
    'removed Tandem from this machine; these units continue to run:',
    '  tandem-web-1.service',
    'kept the data of web in /var/lib/private/tandem-data',
    next,
  ])
})
