import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { examinations as features } from '../machine/features.ts'
import { gatherFacts } from './gatherFacts.ts'

it.runIf(process.platform === 'linux')('without the agent, the expected ports and processes are unknown', async () => {
  const data = mkdtempSync(join(tmpdir(), 'gather-facts-'))
  onTestFinished(() => rmSync(data, { recursive: true }))
  const places = {
    secretsFolder: join(data, 'env'),
    certificatesFolder: join(data, 'certificates'),
    haproxyRunDir: data,
  }
  const facts = await gatherFacts({
    ...{ machine: 'a', data, now: Date.now(), installed: '0.1.0', settings: null, self: 'ECONNREFUSED' },
    ...{ ...places, haproxyChecker: null, watchMs: 10, features },
  })
  expect(facts.ports).toEqual({ why: expect.stringMatching(/only the agent knows .*, and the agent does not answer/) })
  expect(facts.limits).toMatchObject({ seen: { processes: null, instances: null } })
  expect(facts).toMatchObject({
    units: null,
    certificates: null,
    configurations: [{ area: 'keepalived', state: null }],
  })
  expect(facts.agent).toMatchObject({ seen: { silent: 'ECONNREFUSED', problems: [] } })
})
