import { afterEach, beforeEach, expect, it } from 'vitest'
import type { DesiredState } from '../protocol/desiredState.ts'
import type { Controller } from './controller.ts'
import { recover as recovery } from './recover.ts'
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
afterEach(async () => {
  for (const controller of open) await controller.close()
  for (const folder of folders) folder.remove()
})
/** A controller with an empty log, leading. */
async function fresh(): Promise<Controller> {
  const folder = makeFolder('recover')
  folders.push(folder)
  const { controller } = await openController(folder.path)
  open.push(controller)
  await controller.lead()
  return controller
}
/** The desired states of two machines from before the log was lost. */
async function lost(): Promise<{ held: DesiredState[]; term: number; position: number }> {
  const before = await fresh()
  for (const machine of ['a', 'b']) await before.report(aReport({ machine, seq: nextSeq() }))
  await publishIn(before)
  await deploy(before, 'r1')
  for (let round = 0; round < 20; round++) await obey(before, ['a', 'b'], nextSeq)
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

/** Recovers, as the call of the API does. */
async function recover(controller: Controller) {
  const { request, answer } = recovery(controller)
  return answer(await controller.execute(request))
}

it('takes a term and a position above all that machines have seen, and changes no service', async () => {
  const { held, position } = await lost()
  const next = await fresh()
  for (const [index, one] of held.entries()) await next.report(refusing(one, { term: 7 + index }))
  const result = await recover(next)
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

it('rolls out afterwards, and folds the same state after a restart', async () => {
  const { held } = await lost()
  const folder = makeFolder('recover')
  folders.push(folder)
  const first = (await openController(folder.path)).controller
  await first.lead()
  for (const one of held) await first.report(refusing(one))
  await recover(first)
  await obey(first, ['a', 'b'], nextSeq)
  const { position, machines, instances, services } = first.state
  await first.close()
  const again = (await openController(folder.path)).controller
  open.push(again)
  expect(again.state).toMatchObject({ position, machines, instances, services })
  await again.lead()
  await publishIn(again, 'c'.repeat(64), aDefinition({ env: { NEW: '1' } }))
  await deploy(again, 'r9', 'c'.repeat(64))
  for (let round = 0; round < 20; round++) await obey(again, ['a', 'b'], nextSeq)
  expect(again.state.rollouts['r9']?.outcome).toBe('completed')
})

it('is refused while a machine in the log is silent, and when no machine has reported', async () => {
  const { held } = await lost()
  const next = await fresh()
  await expect(recover(next)).rejects.toMatchObject({ code: 'E_NO_MACHINE_REACHABLE' })
  await next.report(aReport({ machine: 'c', seq: nextSeq() }))
  const { position } = next.state
  const restarted = await openControllerAgain(next)
  for (const one of held) await restarted.report(refusing(one))
  await expect(recover(restarted)).rejects.toThrow(/machine c has not reported/)
  expect(restarted.state.terms.some((term) => term.recovered)).toBe(false)
  expect(position).toBeLessThan(restarted.state.position)
})

it('waits for a machine that has neither obeyed nor refused: its report does not say what it runs', async () => {
  const { held } = await lost()
  const next = await fresh()
  const [a, b] = held as [DesiredState, DesiredState]
  await next.report(refusing(a))
  const undecided = { ...refusing(b), refused: null, held: null }
  await next.report(undecided)
  await expect(recover(next)).rejects.toThrow('machine b has neither obeyed nor refused this controller yet')
  await next.report({ ...refusing(b), refused: null, held: null, seen: null })
  await expect(recover(next)).rejects.toMatchObject({ code: 'E_NO_MACHINE_REACHABLE' })
  await next.report(refusing(b))
  expect(await recover(next)).toMatchObject({ adopted: ['a', 'b'] })
  expect(next.desired('b').instances).toEqual(b.instances)
})

async function openControllerAgain(controller: Controller): Promise<Controller> {
  await controller.close()
  open = open.filter((one) => one !== controller)
  const again = (await openController(folders.at(-1)?.path ?? '')).controller
  open.push(again)
  await again.lead()
  return again
}
