import { expect, it } from 'vitest'
import type { MachineStatus } from '../../api/views.ts'
import { fakeController, sendEvents } from '../testing/fakeController.ts'
import { runHere, type CliRun } from '../testing/testHost.ts'
import { at, machineStatus, statusView } from '../testing/views.ts'

/** States of `b` at each status request after the first, which precedes the command; `null`: removed. */
async function run(verb: 'drain' | 'ready', ...seen: (Partial<MachineStatus> | null)[]): Promise<CliRun> {
  let looks = -1
  const env = await fakeController((request, response) => {
    const path = request.url ?? ''
    if (path.includes('/events')) {
      const data = { machine: 'b' }
      return sendEvents(response, ...seen.map((_, position) => ({ position, at: at(0), type: 'Machine', data })))
    }
    if (request.method === 'POST') return void response.end(JSON.stringify({ position: 1 }))
    const b = looks < 0 ? {} : seen[Math.min(looks, seen.length - 1)]
    looks++
    const machines = b ? [machineStatus(), machineStatus({ name: 'b', ...b })] : [machineStatus()]
    return void response.end(JSON.stringify(statusView({ machines })))
  })
  return runHere(['machine', verb, 'b'], env)
}

const lost = { state: 'lost' } as const
const draining = { state: 'draining', traffic: 'draining' } as const

it.each([
  ['drain', [{ ...lost, traffic: 'drained' }]],
  ['drain', [draining, { ...lost, traffic: 'draining' }, { ...lost, traffic: 'drained' }]],
  ['ready', [{ ...lost, traffic: 'ready' }]],
] as const)('%s ends for a machine that is lost, or becomes lost: %j', async (verb, seen) => {
  const { code, out } = await run(verb, ...seen)
  const wanted = verb === 'drain' ? 'drained' : 'ready'
  expect([code, out]).toEqual([0, `b is ${wanted}; it is lost: it does not report\n`])
})

it('understands an older controller, which does not report traffic and lost separately', async () => {
  expect(await run('drain', { state: 'draining' }, { state: 'drained' })).toMatchObject({
    code: 0,
    out: 'b is drained\n',
  })
})

it('ends when somebody requests the opposite meanwhile', async () => {
  const drained = await run('drain', draining, { state: 'ready', traffic: 'ready' })
  expect(drained.code).toBe(1)
  expect(drained.err).toContain('machine b is ready, not drained: a later command changed it')
  expect(await run('ready', draining)).toMatchObject({ code: 1, err: expect.stringContaining('E_UNDONE') })
})

it('ends when the machine is removed meanwhile', async () => {
  const { code, err } = await run('drain', draining, null)
  expect(code).toBe(4)
  expect(err).toContain('machine b was removed from the cluster while this command waited')
})

it('sends no dry run to an older controller, which would carry the command out', async () => {
  const written: string[] = []
  const env = await fakeController((request, response) => {
    if (request.method === 'POST') written.push(request.url ?? '')
    const paths = { '/api/v1/machines/{machine}/drain': { post: { parameters: [{ in: 'path', name: 'machine' }] } } }
    response.end(JSON.stringify(request.url?.endsWith('/openapi.json') ? { paths } : statusView()))
  })
  const { code, err } = await runHere(['machine', 'drain', 'b', '--dry-run'], env)
  expect([code, written]).toEqual([4, []])
  expect(err).toContain('has no dry run of this command (E_NO_ABILITY)')
})

it('shows no note of a machine that does not exist', async () => {
  const env = await fakeController((_, response) => void response.end(JSON.stringify(statusView())))
  expect(await runHere(['machine', 'note', 'b'], env)).toMatchObject({ code: 0, out: 'machine b has no note\n' })
  const { code, err } = await runHere(['machine', 'note', 'c'], env)
  expect([code, err]).toEqual([
    4,
    expect.stringMatching(/there is no machine c \(E_NO_SUCH_MACHINE\)\n.*machines: a, b/),
  ])
})
