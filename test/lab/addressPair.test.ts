import { afterAll, describe } from 'vitest'
import { doctorSuite } from './doctor.suite.ts'
import { leavingSuite } from './leaving.suite.ts'
import { privilegeSuite } from './privilege.suite.ts'
import { whyNoLab } from './requirements.ts'
import { bootMs, SharedPair, withAddress } from './sharedPair.ts'

const why = whyNoLab()

describe.skipIf(why)(`one booted pair with a virtual address${why ? ` (skipped: ${why})` : ''}`, () => {
  const shared = new SharedPair(async () => ({ ...withAddress, byHand: true }))
  afterAll(() => shared.close(), bootMs)
  privilegeSuite(shared.lend)
  doctorSuite(shared.lend)
  leavingSuite(shared.lend)
})
