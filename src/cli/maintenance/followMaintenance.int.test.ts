import { expect, it } from 'vitest'
import type { MaintenanceView } from '../../api/maintenance.ts'
import { fakeController, sendEvents } from '../testing/fakeController.ts'
import { runHere, type CliRun } from '../testing/testHost.ts'
import { at, machineStatus, statusView } from '../testing/views.ts'

const view = (given: Partial<MaintenanceView>): MaintenanceView => ({
  ...{ id: 'm1', kind: 'reboot', script: null, state: 'running', reason: null, startedAt: at(0), finishedAt: null },
  ...{ machines: [{ machine: 'a', state: 'waiting' }], ...given },
})
const event = (position: number, type: string, data: object = {}) => ({
  ...{ position, at: at(position), type, data: { maintenance: 'm1', ...data } },
})
const begun = { position: 1, maintenance: view({}) }

interface World {
  /** Answers of the controller to requests for the last maintenance; `null`: the controller is unreachable. */
  asked: (MaintenanceView | null)[]
  /** Events that each stream sends before it breaks off; the last stream stays open. */
  streams: ReturnType<typeof event>[][]
  machines?: ReturnType<typeof machineStatus>[]
}

const reboot = (world: World): Promise<Followed> => follow(['machine', 'reboot', 'a'], world, begun)

type Followed = CliRun & { from: string[] }

async function follow(argv: string[], { asked, streams, machines = [] }: World, answer: object): Promise<Followed> {
  const from: string[] = []
  const env = await fakeController((request, response) => {
    const path = request.url ?? ''
    if (path.includes('/events')) {
      from.push(new URL(path, 'http://x').searchParams.get('after') ?? '')
      sendEvents(response, ...(streams.shift() ?? []))
      if (streams.length > 0 || path.includes('follow=false')) response.end()
    } else if (path.includes('/status')) response.end(JSON.stringify(statusView({ machines })))
    else if (request.method === 'POST') response.end(JSON.stringify(answer))
    else {
      const maintenance = asked.length > 1 ? asked.shift() : asked[0]
      if (maintenance === null) response.destroy()
      else response.end(JSON.stringify({ maintenance }))
    }
  })
  return { ...(await runHere(argv, env)), from }
}

it('reads the last event again if the controller became unreachable during the following request', async () => {
  const stopped = view({ state: 'stopped', reason: 'a is failing', finishedAt: at(3) })
  const streams = [[event(2, 'MaintenanceStopped')], [event(2, 'MaintenanceStopped')]]
  const { code, out, from } = await reboot({ asked: [null, stopped], streams })
  expect([code, from]).toEqual([1, ['0', '0']])
  expect(out).toContain('a is failing')
})

it('ends when the maintenance ended during an outage', async () => {
  const completed = view({ state: 'completed', finishedAt: at(3) })
  expect(await reboot({ asked: [completed], streams: [[], []] })).toMatchObject({ code: 0 })
})

it('ends when another maintenance has started meanwhile', async () => {
  const asked = [view({ id: 'm2' })]
  const stopped = await reboot({ asked, streams: [[event(2, 'MaintenanceStopped')]] })
  expect(stopped).toMatchObject({ code: 1, out: 'stopped  maintenance m1; a newer maintenance has started since\n' })
  const completed = await reboot({ asked, streams: [[event(2, 'MaintenanceFinished')]] })
  expect(completed).toMatchObject({
    code: 0,
    out: 'completed  maintenance m1; a newer maintenance has started since\n',
  })
})

it('shows which steps a resumed maintenance does not repeat, and which machines are back in traffic', async () => {
  const stepped = (position: number, step: string) => event(position, 'MaintenanceStepped', { machine: 'a', step })
  const streams = [
    [
      stepped(41, 'check'),
      event(42, 'MaintenanceResumed'),
      event(43, 'MachineReadied', { machine: 'a' }),
      stepped(44, 'return'),
      stepped(45, 'done'),
      event(46, 'MaintenanceFinished'),
    ],
  ]
  const done = ['a', 'b'].map((machine) => ({ machine, state: 'done' as const }))
  const completed = view({ state: 'completed', finishedAt: at(46), machines: done })
  const machines = [machineStatus(), machineStatus({ name: 'b', state: 'drained', traffic: 'drained' })]
  const resumed = { position: 42, maintenance: view({ machines: [{ machine: 'a', state: 'check' }] }) }
  const { code, err, from } = await follow(
    ['maintenance', 'resume'],
    { asked: [completed], streams, machines },
    resumed,
  )
  // The request starts where the maintenance was resumed, not at its beginning.
  expect([code, from]).toEqual([0, ['40']])
  expect(err.split('\n').slice(-6, -1)).toEqual([
    'resumed at machine a: the work is done and is not repeated; checks the instances',
    '  a  check   3.0 s',
    '  a  return  1.0 s',
    '  a  done, back in traffic',
    '  b stays drained, as it was before: tandem machine ready b   puts it back in traffic',
  ])
})
