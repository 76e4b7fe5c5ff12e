import type { FeatureParts } from '../agent/features.ts'
import type { MachineSide } from './machineSide.ts'

/** The settings of services. */
export const config = {
  agent: async () => {
    const { config: feature } = await import('../agent/config/config.ts')
    return () => ({ make: ({ launcher }: FeatureParts) => feature(launcher) })
  },
} satisfies MachineSide
