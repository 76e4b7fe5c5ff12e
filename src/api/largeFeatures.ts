import { checksOperations } from './checks.ts'
import { clusterOperations } from './cluster.ts'
import { configOperations } from './config.ts'
import { filesOperations } from './files.ts'
import { firewallOperations } from './firewall.ts'
import { lastWordsOperations } from './lastWords.ts'
import { mapOperations } from './map.ts'
import { numbersOperations } from './numbers.ts'
import { secretOperations } from './secrets.ts'
import { sessionOperations } from './sessions.ts'
import { tailOperations } from './tails.ts'

/** Here a feature hangs in calls that most commands do not make, so that these need not load them: see `smallCalls.ts`. */
export const largeFeatureOperations = {
  ...clusterOperations,
  ...numbersOperations,
  ...lastWordsOperations,
  ...sessionOperations,
  ...tailOperations,
  ...checksOperations,
  ...mapOperations,
  ...firewallOperations,
  ...secretOperations,
  ...configOperations,
  ...filesOperations,
}
