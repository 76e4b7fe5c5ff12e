import { afterAll, describe } from 'vitest'
import { controllerUserSuite } from './controllerUser.suite.ts'
import { filesSuite } from './files.suite.ts'
import { firewallSuite } from './firewall.suite.ts'
import { accessSuite } from './access.suite.ts'
import { healthSuite } from './health.suite.ts'
import { hostileSuite } from './hostile.suite.ts'
import { idleSuite } from './idle.suite.ts'
import { jailSuite } from './jail.suite.ts'
import { maintenanceSuite } from './maintenance.suite.ts'
import { namesSuite } from './names.suite.ts'
import { otherFirewallsSuite } from './otherFirewalls.suite.ts'
import { pairSuite } from './pair.suite.ts'
import { plantedSuite } from './planted.suite.ts'
import { programsSuite } from './programs.suite.ts'
import { whyNoLab } from './requirements.ts'
import { bootMs, SharedPair } from './sharedPair.ts'
import { secretsDeliveredSuite } from './secretsDelivered.suite.ts'
import { secretsSuite } from './secrets.suite.ts'
import { takenOverSuite } from './takenOver.suite.ts'
import { sharesSuite } from './shares.suite.ts'
import { unitEndsSuite } from './unitEnds.suite.ts'

const why = whyNoLab()

// The last suite removes a machine from the cluster. The packages of the one before stay, and start nothing.
describe.skipIf(why)(`one booted pair${why ? ` (skipped: ${why})` : ''}`, () => {
  const shared = new SharedPair()
  afterAll(() => shared.close(), bootMs)
  unitEndsSuite(shared.lend)
  controllerUserSuite(shared.lend)
  healthSuite(shared.lend)
  idleSuite(shared.lend)
  maintenanceSuite(shared.lend)
  jailSuite(shared.lend)
  namesSuite(shared.lend)
  accessSuite(shared.lend)
  firewallSuite(shared.lend)
  hostileSuite(shared.lend)
  otherFirewallsSuite(shared.lend)
  programsSuite(shared.lend)
  secretsSuite(shared.lend)
  secretsDeliveredSuite(shared.lend)
  filesSuite(shared.lend)
  takenOverSuite(shared.lend)
  plantedSuite(shared.lend)
  sharesSuite(shared.lend)
  pairSuite(shared.lend)
})
