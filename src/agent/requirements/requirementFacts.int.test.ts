import { existsSync } from 'node:fs'
import { expect, it } from 'vitest'
import { exec } from '../../lib/exec.ts'
import { DebianPackages } from './debianPackages.ts'
import { requirementFacts } from './requirementFacts.ts'

const hasDpkg = existsSync('/usr/bin/dpkg-query')
const ask = (
  over: Partial<Parameters<typeof requirementFacts>[0]>,
  { env = process.env, packages = new DebianPackages() } = {},
) =>
  requirementFacts(
    { commands: [], packages: [], path: null, jail: null, ...over },
    {
      supervisor: { cannotJail: ({ addresses }) => (addresses ? 'cannot' : null) },
      load: async () => ({ cpu: null, memory: { totalBytes: 9, availableBytes: 5 }, disk: null }),
      ...{ env, packages },
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

it.skipIf(!hasDpkg)('asks dpkg once for all services that are asked for together, one process at a time', async () => {
  const [ran, atOnce]: [string[][], number[]] = [[], []]
  let running = 0
  const packages = new DebianPackages(async (argv, options) => {
    ran.push([...argv])
    atOnce.push(++running)
    return exec(argv, options).finally(() => running--)
  })
  const services = [['dpkg'], ['dpkg>=1.10', 'no-such-package'], ['tar', 'tar<0.1'], ['dpkg']]
  const answers = await Promise.all(services.map((wanted) => ask({ packages: wanted }, { packages })))
  expect(answers.map(({ missingPackages }) => missingPackages?.map(({ wanted }) => wanted))).toEqual([
    ...[[], ['no-such-package'], ['tar<0.1'], []],
  ])
  expect(ran.filter(([program]) => program === 'dpkg-query')).toHaveLength(1)
  expect(Math.max(...atOnce)).toBe(1)
  expect((await ask({ packages: ['no-such-package'] }, { packages })).missingPackages).toHaveLength(1)
})

it('keeps a service that is asked for during a query for the next one, and says that there is no dpkg', async () => {
  const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const ran: string[][] = []
  const packages = new DebianPackages(async (argv) => {
    ran.push(argv.slice(3))
    const gate = gates[ran.length - 1]
    await gate?.promise
    if (ran.length === 2) throw new Error('ENOENT')
    return { code: 0, out: 'installed tar 1.34\n', err: '' }
  })
  const first = ask({ packages: ['tar'] }, { packages })
  await expect.poll(() => ran).toEqual([['tar']])
  const later = [ask({ packages: ['sed'] }, { packages }), ask({ packages: ['grep', 'sed'] }, { packages })]
  for (const { resolve } of gates) resolve()
  expect((await first).missingPackages).toEqual([])
  expect((await Promise.all(later)).map(({ missingPackages }) => missingPackages)).toEqual([null, null])
  expect(ran).toEqual([['tar'], ['sed', 'grep']])
})
