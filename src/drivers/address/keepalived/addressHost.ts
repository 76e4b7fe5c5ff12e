import type { GuardSettings } from './guardFiles.ts'
import type { KeepalivedSettings } from './keepalivedSettings.ts'

/**
 * All that the address driver needs root for, and nothing else: it takes checked parts, never text of a configuration, and
 * says what is wrong with them. What it makes outlives whoever asked for it.
 */
export interface AddressHost {
  /** keepalived and the guard run with exactly this; what runs so already is not touched. */
  install(settings: KeepalivedSettings, haproxy: GuardSettings['haproxy']): Promise<void>
  /** keepalived goes on alone with what it has, and is not taken off a machine that does not serve; no guard runs. */
  leave(): Promise<void>
  /** Neither runs; nothing of them is left. */
  remove(): Promise<void>
}
