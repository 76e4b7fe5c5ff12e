import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { isInstalled } from '../../../lib/testing/aptInstall.ts'
import type { InstanceSpec } from '../supervisor.ts'
import { openUnitHost } from './unitHost.ts'

const spec: InstanceSpec = {
  ...{ id: 'shop-7f3a-a-1', service: 'shop', release: '0f1e', argv: ['sleep', '9'], env: {}, cwd: '/' },
  limits: { memoryBytes: null, cpu: null, tasks: 200, bodyBytes: null, files: 4096 },
  stop: { signal: 'SIGTERM', withinMs: 1_000 },
}

it.skipIf(!isInstalled('systemctl')).each([true, false])(
  'a boot starts an instance only from when its rules are on disk, or could not be made (%s)',
  async (isMade) => {
    const folder = mkdtempSync(join(tmpdir(), 'units-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const unit = join(folder, 'tandem-shop-7f3a-a-1.service')
    const atBoot = join(folder, 'multi-user.target.wants/tandem-shop-7f3a-a-1.service')
    const seen: boolean[][] = []
    const host = openUnitHost({
      ...{ unitFolder: folder, environmentFolder: join(folder, 'environment'), hidden: [] },
      users: { ensure: async () => 901 },
      guards: [
        {
          refresh: async () => {
            seen.push([existsSync(unit), existsSync(atBoot)])
            if (isMade) return true
            throw new Error('no rules')
          },
        },
      ],
    })
    await host.write(spec)
    expect(seen).toEqual([[true, false]])
    expect(existsSync(atBoot)).toBe(true)
    await host.write({ ...spec, id: 'shop-7f3a-a-2', once: true })
    expect(existsSync(atBoot.replace('a-1', 'a-2'))).toBe(false)
  },
)
