import { firewallOf } from '../../definitions/firewall/facets.ts'
import type { PlanPart } from '../planPart.ts'
import { refusalLines, refusedBy } from './render.ts'

/** The connections that a change to `enforce` would refuse; `null`: this is no such change, or nothing has counted. */
export const planRefusals: PlanPart = async ({ out, signal }, client, { now, wanted }) => {
  const { mode, users } = firewallOf(wanted)
  if (mode !== 'enforce' || now === null || firewallOf(now).mode === 'enforce') return null
  const { calls, since } = await client.call('firewall', {}, signal)
  if (since === null) return null
  const lost = refusedBy(calls, users)
  return { result: { refusals: lost }, lines: ['', ...refusalLines(lost, out.paint)] }
}
