import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { MachineSettings } from '../../definitions/machineSettings.ts'
import { JoinedFolder } from '../../identity/joinedMachine.ts'
import { JoinedSettings } from './joinedSettings.ts'

const before: MachineSettings = {
  ...{ cluster: 'test', address: '10.0.0.1', addresses: ['10.0.0.50'], advert: 100 },
  entry: { http: 80, https: 443, certificates: null, trustedProxies: [] },
  drivers: { supervisor: 'systemd', balancer: 'haproxy', address: 'keepalived' },
  firewall: { mode: 'observe' },
}
const later = (over: Partial<MachineSettings>): MachineSettings => ({ ...before, ...over })

let data: string
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'joined-'))
})
afterEach(() => rmSync(data, { recursive: true }))

function joined() {
  const folder = new JoinedFolder(data)
  folder.write({ machine: 'a', controllers: ['10.0.0.10:7480'], settings: before })
  const sent: MachineSettings[] = []
  const settings = new JoinedSettings({
    ...{ machine: 'a', joined: { folder, settings: before } },
    send: async (one) => void sent.push(one),
  })
  let asked: string | null = null
  void settings.changed.then((why) => (asked = why))
  const take = async (one: MachineSettings): Promise<string | null> => {
    await settings.take(one, null)
    return asked
  }
  return { take, sent, kept: () => folder.read().settings }
}

it('keeps and sends settings that features take from the desired state, without a restart, also back again', async () => {
  const { take, sent, kept } = joined()
  const open = later({ firewall: { mode: 'enforce', users: ['monitor'] } })
  const moved = later({ addresses: [], advert: 200 })
  for (const settings of [open, moved, before]) {
    expect(await take(settings)).toBe(null)
    expect(kept()).toEqual(settings)
  }
  await take(before)
  expect(sent).toEqual([open, moved, before])
})

it.each([
  ['the entry', { entry: { ...before.entry, http: 8080 } }],
  ['the address of the machine', { address: '10.0.0.2' }],
  ['a driver', { drivers: { ...before.drivers, address: 'none' as const } }],
])('asks for a restart when %s changes', async (_, over) => {
  const { take, kept } = joined()
  expect(await take(later(over))).toBe('a change of the cluster file')
  expect(kept()).toEqual(later(over))
})
