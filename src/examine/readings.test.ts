import { expect, it } from 'vitest'
import { overflowsIn } from './limitsHere.ts'
import { socketsIn } from './listeners.ts'

it('reads sockets from the tables of the kernel, for both address families', () => {
  const four = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1D3A 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0000000000000000 100 0 0 10 0
   1: 0B004D0A:0050 64004D0A:C350 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0000000000000000 20 4 30 10 -1
`
  const six = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
   1: 00000000000000000000000001000000:0051 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 2 1 0 100 0 0 10 0
   2: 0000000000000000FFFF00000100007F:0052 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 3 1 0 100 0 0 10 0
   3: 000080FE00000000FF54054D0100A8C0:0053 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4 1 0 100 0 0 10 0
`
  expect(socketsIn(four)).toEqual([
    { port: 7482, address: '127.0.0.1', listens: true, inode: '4711' },
    { port: 80, address: '10.77.0.11', listens: false, inode: '4712' },
  ])
  expect(socketsIn(six).map(({ address }) => address)).toEqual([
    '::',
    '::1',
    '127.0.0.1',
    'fe80:0:0:0:4d05:54ff:c0a8:1',
  ])
  expect(socketsIn('')).toEqual([])
})

it('finds overflows by name, in whichever column the kernel has them', () => {
  expect(overflowsIn('TcpExt: SyncookiesSent ListenOverflows ListenDrops\nTcpExt: 0 12 13\nIpExt: A\nIpExt: 1\n')).toBe(
    12,
  )
  expect(overflowsIn('TcpExt: A\nTcpExt: 1\n')).toBe(0)
})
