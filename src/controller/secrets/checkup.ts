import { wrong } from '../../doctor/findings.ts'
import { mergeCheckups } from '../../doctor/mergeCheckups.ts'
import type { Checkup } from '../../protocol/checkup.ts'
import type { SecretsWorld } from '../../secrets/state.ts'
import { noHelperKey } from '../../rollout/secrets/feature.ts'
import { unsavedSince } from '../../secrets/unsaved.ts'

const area = 'secrets'
/** Somebody who changes several secrets takes one backup afterwards. */
const patienceMs = 24 * 3_600_000

/**
 * The controller's checkup, with secrets that no backup holds, and machines that cannot receive any. On a laptop, people
 * can enter them again, and the agent has a key of its own.
 */
export function withSecrets(own: Checkup, state: SecretsWorld, now: number): Checkup {
  if (state.config.laptop || state.rootKey === null) return own
  const since = unsavedSince(state)
  const isLate = since !== null && now - since > patienceMs
  const what =
    state.backedUpAt === null
      ? 'the secrets are in no backup: they are lost with the disk of the controller'
      : `secrets changed since the last backup, of ${new Date(state.backedUpAt).toISOString()}`
  const findings = isLate ? [wrong(area, what, 'tandem secrets backup FILE   on a computer of yours')] : []
  const keyless = Object.keys(state.machines).filter((machine) => !Object.hasOwn(state.helperKeys, machine))
  const unable = keyless.map((machine) => {
    const { message, next } = noHelperKey(machine)
    return wrong(area, message, next)
  })
  return mergeCheckups(own, { machine: own.machine, checked: [area], findings: [...findings, ...unable] })
}
