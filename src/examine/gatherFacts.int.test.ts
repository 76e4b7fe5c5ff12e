import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished, vi } from 'vitest'
import { AgentDisk } from '../agent/agentDisk.ts'
import { aDesiredState, anInstance } from '../agent/testing/given.ts'
import { examinations as features } from '../machine/features.ts'
import { gatherFacts, type Examined } from './gatherFacts.ts'

const aFolder = (): string => {
  const data = mkdtempSync(join(tmpdir(), 'gather-facts-'))
  onTestFinished(() => rmSync(data, { recursive: true }))
  return data
}
const examinedIn = (data: string): Examined => ({
  ...{ machine: 'a', data, now: Date.now(), installed: '0.1.0', settings: null, self: 'ECONNREFUSED' },
  ...{ secretsFolder: join(data, 'env'), certificatesFolder: join(data, 'certificates'), haproxyRunDir: data },
  ...{ haproxyChecker: null, watchMs: 10, features },
})

it.runIf(process.platform === 'linux')('without the agent, the expected ports and processes are unknown', async () => {
  const facts = await gatherFacts(examinedIn(aFolder()))
  expect(facts.ports).toEqual({ why: expect.stringMatching(/only the agent knows .*, and the agent does not answer/) })
  expect(facts.limits).toMatchObject({ seen: { processes: null, instances: null } })
  expect(facts).toMatchObject({
    units: null,
    certificates: null,
    configurations: [{ area: 'keepalived', state: null }],
  })
  expect(facts.agent).toMatchObject({ seen: { silent: 'ECONNREFUSED', problems: [] } })
})

it.runIf(process.platform === 'linux')(
  'wants the instances of the last state that the agent obeyed, and leaves its files unchanged',
  async () => {
    const data = aFolder()
    const disk = new AgentDisk(data)
    disk.writeDesired(aDesiredState({ position: 1, instances: [anInstance({ id: 'shop-r1-a-1' })] }))
    disk.writeDesired(aDesiredState({ position: 2, instances: [anInstance({ id: 'shop-r2-a-1' })] }))
    const before = filesOf(data)
    withSystemctlOf(join(data, 'bin'))
    const facts = await gatherFacts({ ...examinedIn(data), settings })
    expect(facts.units).toMatchObject({ seen: { wanted: ['shop-r2-a-1'] } })
    rmSync(join(data, 'bin'), { recursive: true })
    expect(filesOf(data)).toEqual(before)
  },
)

const settings: Examined['settings'] = {
  ...{ cluster: 'c', address: '10.0.0.1', addresses: [], advert: 100 },
  entry: { http: 80, https: 443, certificates: null, trustedProxies: [] },
  drivers: { supervisor: 'systemd', balancer: 'embedded', address: 'none' },
}

const filesOf = (folder: string): string[] =>
  readdirSync(folder).map((name) => `${name} ${statSync(join(folder, name), { bigint: true }).mtimeNs}`)

/** Also where no systemd runs: it knows no unit. */
function withSystemctlOf(bin: string): void {
  mkdirSync(bin)
  writeFileSync(join(bin, 'systemctl'), '#!/bin/sh\n', { mode: 0o755 })
  vi.stubEnv('PATH', `${bin}:${process.env['PATH']}`)
  onTestFinished(() => void vi.unstubAllEnvs())
}
