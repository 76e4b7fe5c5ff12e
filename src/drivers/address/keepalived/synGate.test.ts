import { expect, it } from 'vitest'
import { kernelAddress, openConnections } from './synGate.ts'

it('writes addresses in the form of the kernel', () => {
  expect(kernelAddress('10.77.0.50')).toBe('32004D0A')
  expect(kernelAddress('fd00::50')).toBe('000000FD000000000000000050000000')
  expect(kernelAddress('2001:db8:1:2:3:4:5:6')).toBe('B80D01200200010004000300'.concat('06000500'))
})

it('counts connections that are open or being opened, to that address only', () => {
  const row = (local: string, state: string): string => `   0: ${local}:0050 0100007F:D431 ${state} 00000000:00000000`
  const text = [
    '  sl  local_address rem_address   st tx_queue rx_queue',
    row('32004D0A', '01'),
    row('32004D0A', '03'),
    row('32004D0A', '0A'),
    row('32004D0A', '06'),
    row('33004D0A', '01'),
  ].join('\n')
  expect(openConnections('10.77.0.50', () => text)).toBe(2)
  expect(openConnections('10.77.0.50', () => '')).toBe(0)
})
