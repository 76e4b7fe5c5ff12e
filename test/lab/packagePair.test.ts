import { afterAll, describe } from 'vitest'
import { killsSuite } from './kills.suite.ts'
import { packageSuite } from './package.suite.ts'
import { whyNoLab } from './requirements.ts'
import { bootMs, SharedPair, withAddress } from './sharedPair.ts'
import { Workshop } from './workshop.ts'

const why = whyNoLab()

describe.skipIf(why)(`one booted pair, installed from the package${why ? ` (skipped: ${why})` : ''}`, () => {
  const workshop = new Workshop('package')
  let file = ''
  const shared = new SharedPair(async () => {
    file = await workshop.debianPackage()
    return { ...withAddress, debianPackage: file }
  })
  afterAll(async () => {
    await shared.close()
    workshop.close()
  }, bootMs)
  killsSuite(shared.lend, () => file)
  packageSuite(shared.lend, () => file)
})
