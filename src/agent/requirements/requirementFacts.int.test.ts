import { existsSync } from 'node:fs'
import { expect, it } from 'vitest'
import { requirementFacts } from './requirementFacts.ts'

const hasDpkg = existsSync('/usr/bin/dpkg-query')
const ask = (over: Partial<Parameters<typeof requirementFacts>[0]>, env: NodeJS.ProcessEnv = process.env) =>
  requirementFacts(
    { commands: [], packages: [], path: null, jail: null, ...over },
    {
      supervisor: { cannotJail: ({ addresses }) => (addresses ? 'cannot' : null) },
      load: async () => ({ cpu: null, memory: { totalBytes: 9, availableBytes: 5 }, disk: null }),
      env,
    },
  )

it('finds programs by name on the PATH of an instance, or by absolute path', async () => {
  const commands = ['sh', '/bin/sh', 'no-such-program', '/no/such', '/etc', 'passwd-']
  const missing = ['no-such-program', '/no/such', '/etc', 'passwd-']
  expect((await ask({ commands })).missingCommands).toEqual(missing)
  expect((await ask({ commands: ['sh'], path: '/no/such:bin' })).missingCommands).toEqual(['sh'])
  expect((await ask({ commands: ['sh'], path: 'bin:${PATH}' })).missingCommands).toEqual([])
})

it.skipIf(!hasDpkg)('compares versions of packages by the rules of dpkg', async () => {
  const { missingPackages } = await ask({
    packages: ['dpkg', 'dpkg>=1.10', 'dpkg<1.10', 'dpkg>1:0', 'no-such-package', 'no-such-package>=1'],
  })
  expect(missingPackages).toEqual([
    { wanted: 'dpkg<1.10', installed: expect.stringMatching(/^1\./) },
    { wanted: 'dpkg>1:0', installed: expect.stringMatching(/^1\./) },
    { wanted: 'no-such-package', installed: null },
    { wanted: 'no-such-package>=1', installed: null },
  ])
})

it('says what is left, the processor, and whether the machine can hold the jail', async () => {
  const facts = await ask({ jail: { addresses: ['10.0.0.1'] } })
  expect(facts).toMatchObject({ memoryBytes: 5, diskBytes: null, cannotJail: 'cannot', missingPackages: [] })
  expect(facts.architecture).toMatch(/^(amd64|arm64)$/)
  expect((await ask({ jail: {} })).cannotJail).toBeNull()
})
