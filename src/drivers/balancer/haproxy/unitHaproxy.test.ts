import { expect, it } from 'vitest'
import { failsToStart, unitFile } from './unitHaproxy.ts'

it('the unit keeps HAProxy running, reloads it seamlessly, and allows it enough open files', () => {
  const text = unitFile(
    {
      program: '/usr/sbin/haproxy',
      runDir: '/run/tandem-haproxy',
      master: '/run/tandem-haproxy/master.sock',
      openFiles: 65_536,
    },
    '/var/lib/tandem/haproxy/haproxy.cfg',
  )
  expect(text).toContain(
    'ExecStart=/usr/sbin/haproxy -Ws -S /run/tandem-haproxy/master.sock,mode,600 -f /var/lib/tandem/haproxy/haproxy.cfg\n',
  )
  for (const line of ['Type=notify', 'Restart=always', 'StartLimitIntervalSec=0', 'LimitNOFILE=65536']) {
    expect(text).toContain(`${line}\n`)
  }
  expect(text).toContain('RuntimeDirectory=tandem-haproxy\n')
})

it.each([
  ['waits after a failed start', 'ActiveState=activating\nSubState=auto-restart\nResult=exit-code\n', true],
  ['has given up', 'ActiveState=failed\nSubState=failed\nResult=exit-code\n', true],
  ['runs', 'ActiveState=active\nSubState=running\nResult=success\n', false],
  ['was stopped by a person', 'ActiveState=inactive\nSubState=dead\nResult=success\n', false],
  ['was killed and starts again', 'ActiveState=activating\nSubState=auto-restart\nResult=signal\n', false],
])('a unit that %s: does it fail to start?', (_, shown, fails) => {
  expect(failsToStart(shown)).toBe(fails)
})
