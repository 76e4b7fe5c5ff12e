import { clusterOperations } from './cluster.ts'

/** Here a feature hangs in calls that carry definitions: see `smallCalls.ts`. All others hang in at `features.ts`. */
export const largeFeatureOperations = { ...clusterOperations }
