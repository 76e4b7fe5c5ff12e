import { expect, it } from 'vitest'
import { Cluster } from './cluster.ts'

/** The state that machine `a` obeys is the whole of what the controller wants of it now. */
function obeysAll(cluster: Cluster): void {
  const { terms: _, ...wanted } = cluster.controller.desired('a')
  expect(cluster.machine('a').agent?.desired).toMatchObject(wanted)
}

/** Names of the messages that machine `a` receives from now on. */
function received(cluster: Cluster): string[] {
  const names: string[] = []
  cluster.machine('a').line.onMessage = (event) => void names.push(event)
  return names
}

it('an agent receives one whole state, then only changes, and obeys the whole', async () => {
  const cluster = await Cluster.start({ machines: 2 })
  const names = received(cluster)
  await cluster.push('1')
  await cluster.push('2', { service: 'blog', routes: [{ host: 'blog.example', path: '/' }] })
  await cluster.rest()
  expect(new Set(names)).toEqual(new Set(['desired-change']))
  obeysAll(cluster)
  expect(cluster.runs('blog')).toEqual(['a ready 2', 'b ready 2'])
})

it('an agent of an older version receives whole states', async () => {
  const cluster = await Cluster.start({ machines: 2 })
  const machine = cluster.machine('a')
  machine.killAgent()
  machine.line.takesChanges = false
  const names = received(cluster)
  await cluster.wait(machine.startAgent())
  await cluster.push('1')
  await cluster.rest()
  expect(new Set(names)).toEqual(new Set(['desired']))
  obeysAll(cluster)
})

it('an agent that missed a message is sent the whole state with the next change', async () => {
  const cluster = await Cluster.start({ machines: 2 })
  await cluster.push('1')
  const { line } = cluster.machine('a')
  line.set({ state: 'silent' })
  await cluster.start('shop', await cluster.publish('2'))
  line.set({ state: 'up' })
  const names = received(cluster)
  await cluster.publish('3')
  await cluster.clock.advance(1_000)
  expect(names.slice(0, 2)).toEqual(['desired-change', 'desired'])
  await cluster.rest()
  obeysAll(cluster)
})

it('an agent that starts again begins with the whole state, whatever it kept', async () => {
  const cluster = await Cluster.start({ machines: 2 })
  await cluster.push('1')
  const machine = cluster.machine('a')
  machine.killAgent()
  const names = received(cluster)
  await cluster.publish('2')
  await cluster.wait(machine.startAgent())
  await cluster.rest()
  await cluster.publish('3')
  await cluster.rest()
  expect(names.slice(0, 2)).toEqual(['desired', 'desired-change'])
  obeysAll(cluster)
})

it('an agent that is killed begins with the last state that it obeyed, also where the disk holds it as changes', async () => {
  const cluster = await Cluster.start({ machines: 2 })
  await cluster.push('1')
  const machine = cluster.machine('a')
  const { position } = cluster.controller.state
  await cluster.publish('2')
  await cluster.until('the agent obeys', () => (machine.agent?.desired?.position ?? 0) > position)
  const obeyed = machine.agent?.desired
  expect((machine.files.read('desired') as { position: number }).position).toBeLessThan(obeyed?.position ?? 0)
  cluster.killController()
  machine.killAgent()
  await cluster.wait(machine.startAgent())
  expect(machine.agent?.desired).toEqual(obeyed)
})

/** Names of the reports of machine `a` that reach the controller from now on. */
function reported(cluster: Cluster): string[] {
  const names: string[] = []
  cluster.machine('a').line.onReport = (name) => void names.push(name)
  return names
}

/** The controller knows the whole report that the agent would send now, except for its number. */
function knowsAll(cluster: Cluster): void {
  const { seq: _, ...report } = cluster.machine('a').agent?.report() ?? {}
  expect(cluster.controller.observed['a']?.report).toMatchObject(report)
}

it('a controller receives one whole report, then only changes, and knows the whole', async () => {
  const cluster = await Cluster.start({ machines: 2 })
  await cluster.push('1')
  const names = reported(cluster)
  await cluster.push('2')
  await cluster.rest()
  expect(new Set(names)).toEqual(new Set(['report-change']))
  knowsAll(cluster)
})

it('a controller of an older version receives whole reports, and so does one that an older version replaced', async () => {
  const cluster = await Cluster.start({ machines: 2 })
  await cluster.push('1')
  const names = reported(cluster)
  cluster.killController()
  cluster.takesChanges = false
  await cluster.startController()
  await cluster.push('2')
  await cluster.rest()
  expect(new Set(names.slice(1))).toEqual(new Set(['report']))
  knowsAll(cluster)
})

it('a controller that starts again receives a whole report first', async () => {
  const cluster = await Cluster.start({ machines: 2 })
  await cluster.push('1')
  const names = reported(cluster)
  cluster.killController()
  await cluster.startController()
  await cluster.rest()
  expect(names.slice(0, 3)).toEqual(['report-change', 'report', 'report-change'])
  knowsAll(cluster)
})

it('a report whose answer was lost is followed by a whole one', async () => {
  const cluster = await Cluster.start({ machines: 2 })
  await cluster.push('1')
  const { line } = cluster.machine('a')
  line.set({ losesAnswers: 1 })
  await cluster.clock.advance(3_000)
  line.set({ losesAnswers: 0 })
  const names = reported(cluster)
  await cluster.push('2')
  await cluster.rest()
  expect(names.slice(0, 2)).toEqual(['report', 'report-change'])
  expect(new Set(names.slice(1))).toEqual(new Set(['report-change']))
  knowsAll(cluster)
})
