import type { RolloutView } from '../../api/views.ts'

/** `configuration: 3`. */
export const pinnedConfig = ({ pins }: RolloutView): string[] =>
  pins?.config ? [`configuration: ${pins.config.version ?? 'defaults'}`] : []
