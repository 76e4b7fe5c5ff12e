import { afterEach, beforeEach, expect, it } from 'vitest'
import type { DesiredState } from '../protocol/desiredState.ts'
import type { Controller } from './controller.ts'
import { recover } from './recover.ts'
import { aDefinition } from '../definitions/testing/aDefinition.ts'
import { aReport, deploy, makeFolder, obey, openController, publishIn, release } from './testing/given.ts'

let folders: ReturnType<typeof makeFolder>[]
let open: Controller[]
let seq = 0
const nextSeq = (): number => ++seq

beforeEach(() => {
  folders = []
  open = []
})
afterEach(() => {
  for (const controller of open) controller.close()
  for (const folder of folders) folder.remove()
})
/** A controller with an empty log, leading. */
function fresh(): Controller {
  const folder = makeFolder('recover')
  folders.push(folder)
  const { controller } = openController(folder.path)
  open.push(controller)
  controller.lead()
  return controller
}
/** The desired states of two machines from before the log was lost. */
function lost(): { held: DesiredState[]; term: number; position: number } {
  const before = fresh()
  for (const machine of ['a', 'b']) before.report(aReport({ machine, seq: nextSeq() }))
  publishIn(before)
  deploy(before, 'r1')
  for (let round = 0; round < 20; round++) obey(before, ['a', 'b'], nextSeq)
  const held = ['a', 'b'].map((machine) => before.desired(machine))
  return { held, term: before.state.terms.at(-1)?.term ?? 0, position: before.state.position }
}
const refusing = (held: DesiredState, over: { term?: number } = {}): ReturnType<typeof aReport> =>
  aReport({
    machine: held.machine,
    seq: nextSeq(),
    seen: { term: over.term ?? held.term, termId: 'gone', position: held.position },
    refused: { code: 'E_LOG_BEHIND', message: 'another log' },
    held,
  })

it('takes a term and a position above all that machines have seen, and changes no service', () => {
  const { held, position } = lost()
  const next = fresh()
  for (const [index, one] of held.entries()) next.report(refusing(one, { term: 7 + index }))
  const result = recover(next)
  expect(result).toMatchObject({ term: 9, adopted: ['a', 'b'] })
  expect(result.position).toBeGreaterThan(position)
  for (const one of held) {
    const { instances, routes, definitions } = next.desired(one.machine)
    expect({ instances, routes, definitions }).toEqual({
      ...{ instances: one.instances, routes: one.routes, definitions: one.definitions },
    })
  }
  expect(next.desired('a').terms.at(-1)).toMatchObject({ term: 9, recovered: true })
  expect(next.state.services['shop']?.current?.release).toBe(release)
})

it('rolls out afterwards, and folds the same state after a restart', () => {
  const { held } = lost()
  const folder = makeFolder('recover')
  folders.push(folder)
  const first = openController(folder.path).controller
  first.lead()
  for (const one of held) first.report(refusing(one))
  recover(first)
  obey(first, ['a', 'b'], nextSeq)
  const { position, machines, instances, services } = first.state
  first.close()
  const again = openController(folder.path).controller
  open.push(again)
  expect(again.state).toMatchObject({ position, machines, instances, services })
  again.lead()
  publishIn(again, 'c'.repeat(64), aDefinition({ env: { NEW: '1' } }))
  deploy(again, 'r9', 'c'.repeat(64))
  for (let round = 0; round < 20; round++) obey(again, ['a', 'b'], nextSeq)
  expect(again.state.rollouts['r9']?.outcome).toBe('completed')
})

it('is refused while a machine in the log is silent, and when no machine has reported', () => {
  const { held } = lost()
  const next = fresh()
  expect(() => recover(next)).toThrow(expect.objectContaining({ code: 'E_NO_MACHINE_REACHABLE' }))
  next.report(aReport({ machine: 'c', seq: nextSeq() }))
  const { position } = next.state
  const restarted = openControllerAgain(next)
  for (const one of held) restarted.report(refusing(one))
  expect(() => recover(restarted)).toThrow(/machine c has not reported/)
  expect(restarted.state.terms.some((term) => term.recovered)).toBe(false)
  expect(position).toBeLessThan(restarted.state.position)
})

function openControllerAgain(controller: Controller): Controller {
  controller.close()
  open = open.filter((one) => one !== controller)
  const again = openController(folders.at(-1)?.path ?? '').controller
  open.push(again)
  again.lead()
  return again
}
