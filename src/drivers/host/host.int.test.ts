import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { insideMachine, whyOutside } from '../supervisor/systemd/systemdLab.ts'
import { createFakeHost } from './fakeHost.ts'
import { hostConformance } from './hostConformance.ts'
import { createSystemdHost } from './systemdHost.ts'

describe.skipIf(!insideMachine)(`on a machine${whyOutside}`, () => {
  hostConformance('systemd', () => {
    const folder = mkdtempSync(join(tmpdir(), 'host-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const fileOf = (id: string): string => join(folder, `${id}.end`)
    return {
      host: createSystemdHost(join(folder, 'scripts')),
      text: (id) => `#!/bin/sh\nuntil [ -s ${fileOf(id)} ]; do sleep 0.05; done\nexit "$(cat ${fileOf(id)})"\n`,
      end: ({ id }, how) => {
        if (how !== 'late') writeFileSync(fileOf(id), `${how}`)
      },
    }
  })
})

hostConformance('fake', () => {
  const host = createFakeHost()
  return { host, text: () => '', end: (script, how) => host.end(script, how) }
})

it('the fake restarts as a test decides: another start, without its scripts', async () => {
  const host = createFakeHost()
  const before = host.bootMark()
  const script = { id: 'abcd1234-1', name: 'patch.sh', text: '', withinMs: 1_000 }
  await host.begin(script, null)
  await host.restart(null)
  expect([host.restarts, host.bootMark()]).toEqual([1, before])
  host.start()
  expect(host.bootMark()).not.toBe(before)
  expect(await host.look(script)).toEqual({ state: 'unknown' })
})
