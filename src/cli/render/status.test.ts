import { expect, it } from 'vitest'
import { plain } from '../paint.ts'
import {
  at,
  instanceStatus,
  machineStatus,
  releaseA,
  releaseB,
  rolloutView,
  serviceStatus,
  statusView,
} from '../testing/views.ts'
import { renderStatus } from './status.ts'

const render = (status = statusView(), whole = true): string =>
  renderStatus(status, { now: Date.parse(at(300)), paint: plain, whole })

it('shows a cluster without problems on one screen, aligned', () => {
  expect(render()).toBe(
    `
local  2 of 2 machines ready · 1 service · controller 0.1.0, term 1, position 40

MACHINE  STATE  SEEN    ENTRY                  METRICS         VERSION
a        ready  5m ago  http://127.0.0.1:8001  127.0.0.1:9001  0.1.0
b        ready  5m ago  http://127.0.0.1:8002  127.0.0.1:9002  0.1.0

shop  aaaaaaaaaaaa  */
  INSTANCE           MACHINE  RELEASE       STATE  PORT   SINCE  RESTARTS  WORK
  shop-4kf2m8xd-a-1  a        aaaaaaaaaaaa  ready  20001  5m     0         0
  shop-4kf2m8xd-b-1  b        aaaaaaaaaaaa  ready  20001  5m     0         0
`.trim(),
  )
})

it('starts with the problems, the worst first', () => {
  const failed = instanceStatus({ state: 'failed', reason: 'exited with status 1', restarts: 7 })
  const status = statusView({
    machines: [
      machineStatus({ state: 'drained', problems: ['haproxy does not answer'] }),
      machineStatus({ name: 'b', state: 'lost', lastSeen: at(0), problems: ['said before it was lost'] }),
    ],
    services: [serviceStatus({ service: 'mail', behind: ['b'] }), serviceStatus({ instances: [failed] })],
  })
  expect(render(status).split('\n\n')[0]?.split('\n').slice(1)).toEqual([
    '! shop has no ready instance: exited with status 1, restarted 7 times; tandem logs shop --instance shop-4kf2m8xd-a-1',
    '! machine b is lost: its last report was at 2026-11-21 02:00:00 UTC; look at its power and network, then at tandem-agent.service there',
    '! mail is behind on b: another release runs there',
    '! machine a: haproxy does not answer',
    '! machine a is drained; tandem machine ready a puts it back in traffic',
  ])
})

it('tells each failing instance of a service that has a ready one, or whose instances fail for different reasons', () => {
  const one = instanceStatus({ state: 'failed', reason: 'exited with status 1' })
  const other = instanceStatus({ id: 'shop-4kf2m8xd-b-1', machine: 'b', state: 'failed', reason: 'missed 3 probes' })
  const problems = (instances: (typeof one)[]): string[] =>
    render(statusView({ services: [serviceStatus({ instances })] }))
      .split('\n')
      .filter((line) => line.startsWith('!'))
  expect(problems([one, { ...other, state: 'ready', reason: null }])).toEqual([
    '! shop on a: exited with status 1; tandem logs shop --instance shop-4kf2m8xd-a-1',
  ])
  expect(problems([one, other])).toEqual([
    '! shop has no ready instance',
    '! shop on a: exited with status 1; tandem logs shop --instance shop-4kf2m8xd-a-1',
    '! shop on b: missed 3 probes; tandem logs shop --instance shop-4kf2m8xd-b-1',
  ])
})

it('says of a failing service that another one, which it uses, does not serve; warns of a stopped one', () => {
  const uses = [
    { service: 'stock', optional: false },
    { service: 'mail', optional: true },
  ]
  const failed = instanceStatus({ state: 'failed', reason: 'exited with status 1' })
  const others = (state: 'running' | 'stopped') => [
    serviceStatus({ service: 'mail', state: 'stopped', instances: [] }),
    serviceStatus({ service: 'stock', state, instances: [] }),
  ]
  const problems = (services: ReturnType<typeof others>): string[] =>
    render(statusView({ services }))
      .split('\n')
      .filter((line) => line.startsWith('!'))
  expect(problems([serviceStatus({ uses, instances: [failed] }), ...others('running')])).toEqual([
    '! shop has no ready instance: exited with status 1; it uses stock, which has no ready instance; it uses mail, which is stopped; tandem logs shop --instance shop-4kf2m8xd-a-1, tandem start mail',
    '! stock has no ready instance',
  ])
  expect(problems([serviceStatus({ uses }), ...others('stopped')])).toEqual([
    '! shop uses stock, which is stopped; tandem start stock',
  ])
  expect(problems([serviceStatus({ uses, state: 'stopped', instances: [] }), ...others('stopped')])).toEqual([])
})

it('shows a running rollout, not as a failure', () => {
  const rollout = rolloutView({ release: releaseB, previous: releaseA })
  const text = render(statusView({ services: [serviceStatus({ rollout, instances: [] })] }))
  expect(text).toContain('running aaaaaaaaaaaa → bbbbbbbbbbbb for 5m 00s (a fetch, b fetch); rollout 4kf2m8xd')
  expect(text).not.toContain('!')
})

it('shows once which limits are not enforced', () => {
  const machines = ['a', 'b'].map((name) => machineStatus({ name, limits: 'memory not enforced: not root' }))
  expect(render(statusView({ machines })).split('\n').at(-1)).toBe('limits on a, b: memory not enforced: not root')
})

it('omits the machines when one service is requested', () => {
  expect(render(statusView(), false)).not.toContain('MACHINE  STATE  SEEN')
})

it('shows a stopped service and an empty cluster not as broken', () => {
  expect(render(statusView({ services: [serviceStatus({ state: 'stopped', instances: [] })] }))).toContain(
    'shop  aaaaaaaaaaaa  stopped',
  )
  expect(render(statusView({ services: [] }))).toContain('no services yet; tandem push DIR creates one')
})

it('shows the holder of each virtual address, since when and why; no holder and a dispute are problems', () => {
  const moved = { since: at(0), from: 'a', refused: [], goesBack: null }
  const addresses = [
    { ...moved, address: '10.0.0.50', holder: 'b', why: 'a: HAProxy does not run' },
    { ...moved, address: '10.0.0.51', holder: null, why: 'HAProxy does not run' },
  ]
  const text = render(statusView({ addresses }))
  expect(text).toContain(
    `
ADDRESS    HELD BY     SINCE   BEFORE  WHY
10.0.0.50  b           5m ago  a       a: HAProxy does not run
10.0.0.51  no machine  5m ago  a       HAProxy does not run
`,
  )
  expect(text).toContain('! no machine holds 10.0.0.51: HAProxy does not run')
  const back = (notBefore: string): string =>
    render(statusView({ addresses: [{ ...moved, ...addresses[0]!, goesBack: { to: 'a', notBefore } }] }))
  expect(back(at(0))).toContain('a: HAProxy does not run; goes back to a once it is healthy\n')
  expect(back(at(330))).toContain('a: HAProxy does not run; goes back to a, in 30.0 s at the earliest\n')
  const disputed = [{ ...moved, address: '10.0.0.50', holder: 'b', why: 'b no longer heard a', refused: ['a'] }]
  expect(render(statusView({ addresses: disputed }))).toContain(
    '! a and b do not hear each other: 10.0.0.50 was given to b',
  )
})

it('shows who can reach the ports of a service, and warns of a port that is public only by default', () => {
  const access = [
    { route: '*/', expose: 'public' as const, carries: 'http' as const, port: null, address: null, unsaid: false },
    { route: ':5672', expose: 'public' as const, carries: 'tcp' as const, port: 5672, address: null, unsaid: true },
    {
      route: ':80',
      expose: 'local' as const,
      carries: 'http' as const,
      port: 80,
      address: '127.77.1.2',
      unsaid: false,
    },
  ]
  const text = render(statusView({ services: [serviceStatus({ access, instances: [] })] }))
  expect(text).toContain(
    '! shop: tcp port 5672 is open to everybody, but its release does not declare that; write expose:',
  )
  expect(text).toContain(
    `
shop  aaaaaaaaaaaa  */
  ROUTE  CARRIES  EXPOSE  LISTENS ON
  */     http     public  the entry of every machine
  :5672  tcp      public  port 5672 of every machine
  :80    http     local   127.77.1.2:80 on every machine
`.trim(),
  )
})

it('marks instances of a lost machine as last seen, with the time', () => {
  const lost = { machine: 'b', id: 'shop-4kf2m8xd-b-1', work: 3, stale: true, asOf: at(120) }
  const machines = [machineStatus(), machineStatus({ name: 'b', state: 'lost', lastSeen: at(120) })]
  const text = render(
    statusView({ machines, services: [serviceStatus({ instances: [instanceStatus(), instanceStatus(lost)] })] }),
  )
  expect(text).toContain(
    `
  INSTANCE           MACHINE  RELEASE       STATE      PORT   SINCE  RESTARTS  WORK
  shop-4kf2m8xd-a-1  a        aaaaaaaaaaaa  ready      20001  5m     0         0
  shop-4kf2m8xd-b-1  b        aaaaaaaaaaaa  was ready  20001  5m     0         was 3
  b does not report; its instances are shown as last seen: 3m ago
`.trimEnd(),
  )
  const alone = statusView({ machines, services: [serviceStatus({ instances: [instanceStatus(lost)] })] })
  expect(render(alone)).toContain('! shop has no ready instance on a machine that reports')
})

it('shows the metrics address of an agent: loopback of its own machine', () => {
  const machines = [machineStatus({ host: '10.0.0.11', metricsPort: 7482 })]
  expect(render(statusView({ machines }))).toContain('http://10.0.0.11:8001  127.0.0.1:7482 on a  0.1.0')
})

it('shows the next steps for a machine that came back after its maintenance had stopped', () => {
  const maintenance = {
    ...{ id: 'm1', kind: 'reboot' as const, script: null, state: 'stopped' as const, startedAt: at(0) },
    ...{ reason: 'machine a did not come back in time', finishedAt: at(100) },
    machines: [{ machine: 'a', state: 'work' as const }],
  }
  const text = render(statusView({ machines: [machineStatus({ state: 'drained' })], maintenance, services: [] }))
  expect(text).toContain(
    '! machine a reports but is drained, because the reboot stopped there; tandem maintenance resume continues it, tandem machine ready a puts the machine back in traffic without it',
  )
  expect(text).toContain(
    '! reboot  0 of 1 done, a: work; stopped: machine a did not come back in time; fix the problem, then: tandem maintenance resume',
  )
})
