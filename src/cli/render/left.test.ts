import { expect, it } from 'vitest'
import { renderLeft } from './left.ts'

const next = 'next  take the machine out of cluster.yaml, then: tandem cluster apply   (where the controller is)'

it('lists what stays on a machine after --purge, where, and what removes it', () => {
  const stays = [
    { what: 'the program', where: '/usr/lib/tandem', remove: 'apt remove tandem' },
    { what: 'output of services', where: 'the journal', remove: null },
  ]
  expect(renderLeft({ units: [], keptData: ['web'], stays }, true)).toBe(
    `
the agent is gone, and so is everything that it ran and wrote
  WHAT STAYS          WHERE            REMOVE IT WITH
  the program         /usr/lib/tandem  apt remove tandem
  output of services  the journal      -
${next}
`.trim(),
  )
})

it('lists what goes on without an agent', () => {
  const left = { units: ['tandem-web-1.service'], keptData: ['web'], stays: [] }
  expect(renderLeft(left, false).split('\n').slice(0, 4)).toEqual([
    'Tandem is off this machine; these go on without it:',
    '  tandem-web-1.service',
    'data of web is kept in /var/lib/private/tandem-data',
    next,
  ])
})
