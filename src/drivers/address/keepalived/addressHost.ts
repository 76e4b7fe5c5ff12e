import type { GuardSettings } from './guardFiles.ts'
import type { KeepalivedSettings } from './keepalivedSettings.ts'

/**
 * All operations of the address driver that need root, and nothing else: it accepts checked parts, never the text of a
 * configuration, and reports errors in them. The units that it creates outlive the caller.
 */
export interface AddressHost {
  /** Makes keepalived and the guard run with exactly these settings; does not touch a unit that already runs so. */
  install(settings: KeepalivedSettings, haproxy: GuardSettings['haproxy']): Promise<void>
  /**
   * Leaves keepalived running alone with its settings, without removing addresses from a machine that does not serve;
   * no guard runs.
   */
  leave(): Promise<void>
  /** Stops both and removes all their files. */
  remove(): Promise<void>
}
