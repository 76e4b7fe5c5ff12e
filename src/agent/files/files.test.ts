import { expect, it, onTestFinished } from 'vitest'
import { systemClock } from '../../lib/clock.ts'
import { until } from '../../lib/testing/until.ts'
import type { Render } from '../../protocol/files.ts'
import type { RenderAnswer, RenderRequest } from '../../templates/request.ts'
import type { AskedJob } from '../jobs/jobRunner.ts'
import { ending, type JobEnding } from '../jobs/jobRecord.ts'
import type { StartExtra } from '../releaseLauncher.ts'
import { aDefinition, aDesiredState, anInstance } from '../testing/given.ts'
import type { CheckWork } from './checkJobs.ts'
import { Files } from './files.ts'

const release = 'f'.repeat(64)
const render = (generation: string): Render => ({
  ...{ service: 'shop', generation, release },
  files: { 'etc/a': { template: 'a.liquid', check: ['./app', '--file={}'] }, b: { template: 'b.liquid' } },
  variables: {
    cluster: { name: 'c' },
    machine: { name: 'a', address: '10.0.0.1' },
    service: { name: 'shop', release },
    config: {},
  },
})
const wanting = (...generations: string[]) =>
  aDesiredState({ render: generations.map(render), definitions: { [release]: aDefinition() } })

/** A host that answers as the test says, and checks that end as it says. */
function given(
  answer: (request: RenderRequest) => RenderAnswer | { isKept: true } = () => ({ files: { 'etc/a': 'A', b: 'B' } }),
  how: () => JobEnding = () => ending('succeeded', ''),
) {
  const extras: StartExtra[] = []
  const problems = new Map<string, unknown>()
  const requests: RenderRequest[] = []
  const kept: object[] = []
  const host = { isAway: false }
  const checks: AskedJob<CheckWork>[] = []
  const feature = new Files({
    host: {
      fillIn: async ({ request }) => {
        requests.push(request)
        return answer(request)
      },
      keepOnly: async (generations) => {
        kept.push(generations)
        if (host.isAway) throw new Error('the helper starts')
      },
      show: async ({ request }) => {
        requests.push(request)
        return answer(request) as RenderAnswer // only a host that keeps files answers otherwise
      },
    },
    checks: {
      run: (asked) => {
        checks.push(asked)
        return { started: Promise.resolve({}), ended: Promise.resolve(how()) }
      },
      close: async () => {},
    },
    launcher: {
      extend: (extra) => void extras.push(extra),
      folder: async () => '/releases/f',
      order: () => null,
      secrets: async () => ({
        secrets: { generation: 'r1', values: { files: { db: Buffer.from('hunter22') }, env: { KEY: 'k' } } },
      }),
    },
    supervisor: { filesFolder: (id) => `/run/${id}` },
    problems: {
      add: (about, error) => void problems.set(about, error),
      solved: (about) => void problems.delete(about),
    },
    clock: systemClock,
    random: () => 0,
    changed: () => {},
  })
  onTestFinished(() => feature.stop())
  const program = { id: 'shop-r1-a-1', release, generation: 'r1' }
  const filesOf = (id = program.id) => extras[0]?.files?.({ ...program, id }, new AbortController().signal)
  return { feature, host, problems, requests, kept, checks, filesOf, variables: () => extras[0]?.settings?.(program) }
}

it('fills in a generation once, with its secrets, and checks each file in the folder of the check', async () => {
  const { feature, requests, checks, filesOf, variables } = given()
  feature.want(wanting('r1'))
  feature.want(wanting('r1'))
  const contents = { 'etc/a': Buffer.from('A'), b: Buffer.from('B') }
  expect(await filesOf()).toEqual({ generation: 'r1', contents })
  expect(feature.report()).toEqual({ rendered: ['r1'], renderFailures: [] })
  expect(requests).toMatchObject([
    {
      ...{ folder: '/releases/f', files: { 'etc/a': 'a.liquid', b: 'b.liquid' } },
      secrets: { db: Buffer.from('hunter22').toString('base64'), KEY: Buffer.from('k').toString('base64') },
    },
  ])
  expect(checks.map(({ id, work }) => [id, work.argv])).toEqual([
    ['shop-r1-1-check', ['./app', '--file=/run/shop-r1-1-check/etc/a']],
  ])
  expect(variables()).toEqual({ TANDEM_FILES: '/run/shop-r1-a-1' })
})

it('reports a template that cannot be filled in, and lets no instance start without its files', async () => {
  const { feature, problems, filesOf, checks } = given(() => ({ problem: 'a.liquid:1:2: undefined variable: x' }))
  feature.want(wanting('r1'))
  await expect(filesOf()).rejects.toMatchObject({
    ...{ code: 'E_TEMPLATE', message: 'its files are not filled in: a.liquid:1:2: undefined variable: x' },
  })
  expect(feature.report().renderFailures).toEqual([
    { generation: 'r1', message: 'a.liquid:1:2: undefined variable: x' },
  ])
  expect([checks, [...problems.keys()]]).toEqual([[], ['files shop']])
  feature.want(wanting())
  expect([feature.report(), problems.size]).toEqual([{ rendered: [], renderFailures: [] }, 0])
  expect(await filesOf()).toBeNull()
})

it('reports a check that fails, with its output but no secret', async () => {
  const failed = { ...ending('failed', 'exited with status 1'), code: 1, tail: 'bad: HUNTER22 is short\n' }
  const { feature, filesOf } = given(undefined, () => failed)
  feature.want(wanting('r1'))
  await expect(filesOf()).rejects.toThrow('the check of etc/a failed: exited with status 1: bad: ******** is short')
  // The check itself got the files.
  expect(await filesOf('shop-r1-1-check')).toHaveProperty('contents.b')
})

it('does not check again a generation of which instances were started, as after a restart of the agent', async () => {
  const { feature, checks, filesOf } = given()
  feature.want({ ...wanting('r1'), instances: [anInstance({ id: 'shop-r1-a-1', generation: 'r1', release })] })
  expect(await filesOf()).toHaveProperty('contents.b')
  expect(checks).toEqual([])
})

it('tries again when it could not be tried', async () => {
  let tries = 0
  const { feature, problems } = given(() => {
    if (++tries === 1) throw new Error('no memory')
    return { files: { 'etc/a': 'A', b: 'B' } }
  })
  feature.want(wanting('r1'))
  await until(() => expect(feature.report().rendered).toEqual(['r1']))
  expect([tries, problems.size]).toEqual([2, 0])
})

it('leaves making, keeping and checking to a host that does so', async () => {
  const { feature, checks, filesOf } = given(() => ({ isKept: true }))
  feature.want(wanting('r1'))
  expect(await filesOf()).toEqual({ generation: 'r1' })
  expect([feature.report().rendered, checks]).toEqual([['r1'], []])
})

it('has the host forget the files that nobody wants, until it did', async () => {
  const { feature, host, kept, problems } = given(() => ({ isKept: true }))
  const want = async (...generations: string[]): Promise<string[]> => {
    feature.want(wanting(...generations))
    await new Promise((resolve) => setImmediate(resolve))
    return [...problems.keys()]
  }
  host.isAway = true
  expect(await want('r1', 'r2')).toEqual(['files'])
  host.isAway = false
  feature.retry(null)
  expect([...problems.keys()]).toEqual(['files'])
  feature.retry(wanting('r1', 'r2'))
  await new Promise((resolve) => setImmediate(resolve))
  expect([...problems.keys()]).toEqual([])
  for (const generations of [['r1', 'r2'], ['r2'], ['r2']]) await want(...generations)
  expect(kept).toEqual([{ shop: ['r1', 'r2'] }, { shop: ['r1', 'r2'] }, { shop: ['r2'] }])
})
