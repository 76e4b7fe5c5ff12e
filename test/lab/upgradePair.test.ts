import { afterAll, describe } from 'vitest'
import { exposeSuite } from './expose.suite.ts'
import { failingUpgradeSuite } from './failingUpgrade.suite.ts'
import { helperKeySuite } from './helperKey.suite.ts'
import { interruptedUpgradeSuite } from './interruptedUpgrade.suite.ts'
import { newPartsSuite } from './newParts.suite.ts'
import { replacedPackageSuite } from './replacedPackage.suite.ts'
import { whyNoLab } from './requirements.ts'
import { bootMs } from './sharedPair.ts'
import { upgradeSuite } from './upgrade.suite.ts'
import { UpgradedPair } from './upgradedPair.ts'

const why = whyNoLab()

// Each suite begins with the version that the one before has left.
describe.skipIf(why)(`one pair that joined with the previous build${why ? ` (skipped: ${why})` : ''}`, () => {
  let opening: Promise<UpgradedPair> | null = null
  const lend = (): Promise<UpgradedPair> => (opening ??= UpgradedPair.open())
  afterAll(async () => {
    await (await opening)?.close()
  }, bootMs)
  failingUpgradeSuite(lend)
  upgradeSuite(lend)
  interruptedUpgradeSuite(lend)
  newPartsSuite(lend)
  exposeSuite(lend)
  replacedPackageSuite(lend)
  helperKeySuite(lend)
})
