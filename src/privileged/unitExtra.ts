import type { InstanceSpec } from '../drivers/supervisor/supervisor.ts'
import type { Credential } from '../drivers/supervisor/systemd/unitText.ts'

/** A feature that gives instances something beside their units. */
export interface UnitExtra {
  /** The credentials that this instance loads. Called before its unit is written. */
  attach: (unit: string, spec: InstanceSpec) => Credential[]
  /** Called when the unit was removed. */
  detach: (unit: string) => void
  /**
   * Called when the unit did not start: why its credentials do not open; `null`: they do. Those that do not are removed,
   * so that the next start gets new ones.
   */
  explain?: (service: string) => Promise<string | null>
}
