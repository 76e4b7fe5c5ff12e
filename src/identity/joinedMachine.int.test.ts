import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { JoinedFolder } from './joinedMachine.ts'

it('refuses a name that an agent wrote to reach a unit of root', () => {
  const data = mkdtempSync(join(tmpdir(), 'tandem-joined-'))
  onTestFinished(() => rmSync(data, { recursive: true }))
  const folder = new JoinedFolder(data)
  const settings = {
    ...{ cluster: 'shop', address: '10.0.0.11', addresses: [], advert: 100, firewall: { mode: 'observe' } },
    entry: { http: 80, https: 443, certificates: null, trustedProxies: [] },
    drivers: { supervisor: 'systemd', balancer: 'haproxy', address: 'keepalived' },
  }
  const write = (machine: string): void =>
    writeFileSync(join(data, 'joined.json'), JSON.stringify({ machine, controllers: ['10.0.0.1:7480'], settings }))
  write('a')
  expect(folder.read().machine).toBe('a')
  write('a\n[Service]\nExecStartPre=+/bin/sh')
  expect(() => folder.read()).toThrow('does not contain the name and settings')
})
