import { expect, it } from 'vitest'
import { workersIn } from './masterSocket.ts'
import { runningServersIn, serverChanges } from './runningServers.ts'
import { statisticsIn } from './statistics.ts'
import { CountedLines } from './countedLines.ts'
import { countersIn, workIn } from './workCounts.ts'

const stat = (...lines: string[]): string =>
  ['# pxname,svname,scur,stot,mode,status,last_chk,hrsp_2xx', ...lines, ''].join('\n')

it('reads the workers of one HAProxy, with old workers separate', () => {
  const text = `#<PID> <type> <reloads> <uptime> <version>
1479            master          2 [failed: 1]   0d00h00m02s     2.6.12
# workers
1531            worker          0               0d00h00m01s     2.6.12
# old workers
1493            worker          1               0d00h00m02s     2.6.12
1400            worker          2               0d00h00m09s     2.6.12
# programs
`
  expect(workersIn(text)).toEqual({ current: 1531, old: [1493, 1400], failedReloads: 1 })
})

it('sums the work of an instance over all workers, and over its backends', () => {
  const reading = new Map([
    [
      1,
      statisticsIn(
        stat(
          'svc_shop,shop-1,2,9,http,UP,,',
          'fwd_shop,shop-1,1,3,http,UP,"a, ""b""",',
          'svc_shop,peer:b,7,7,http,UP,,',
        ),
      ),
    ],
    [2, statisticsIn(stat('svc_queue,queue-1,3,3,tcp,UP,,', 'svc_shop,shop-1,4,9,http,no check,,'))],
  ])
  expect([...workIn(reading)]).toEqual([
    ['shop-1', { work: 7, long: 0 }],
    ['queue-1', { work: 3, long: 3 }],
  ])
})

it('keeps the counts of a worker that has ended', () => {
  const lines = new CountedLines()
  const backend = (count: number): ReturnType<typeof statisticsIn> =>
    statisticsIn(stat(`svc_shop_2,BACKEND,0,${count},http,UP,,${count}`))
  lines.read(new Map([[1, backend(5)]]), [1], 0)
  lines.read(
    new Map([
      [1, backend(6)],
      [2, backend(1)],
    ]),
    [2, 1],
    1,
  )
  lines.read(new Map([[2, backend(2)]]), [2], 2)
  expect(countersIn(lines.sums(), 0).requests).toEqual([{ service: 'shop', statusClass: '2xx', count: 8 }])
})

it('adds servers before it removes others, and does not touch servers that are as wanted', () => {
  const line = (name: string, admin: number): string =>
    `3 svc_s 1 ${name} 127.0.0.1 2 ${admin} 1 1 1 1 0 1 6 0 0 0 - 20001 - 0 0 - - 0`
  const running = runningServersIn(['1', line('old', 0), line('same', 4), line('back', 8), line('gone', 1)].join('\n'))
  const server = (name: string, active: boolean): Parameters<typeof serverChanges>[1][number] => ({
    ...{ backend: 'svc_s', name, host: '127.0.0.1', port: 20_001, active, parameters: 'check' },
  })
  const wanted = [server('new', true), server('old', false), server('same', true), server('back', true)]
  expect(serverChanges(running, wanted)).toEqual({
    enter: [
      'add server svc_s/new 127.0.0.1:20001 check',
      'enable health svc_s/new',
      'set server svc_s/new state ready',
      'set server svc_s/back state ready',
    ],
    leave: ['set server svc_s/old state drain'],
  })
})
