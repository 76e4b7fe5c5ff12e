import { z } from 'zod'
import { name, position } from './basics.ts'
import { signedContentSchema } from './serviceOrders.ts'
import { desireSlices, noOrders, ordersSchema } from './slices.ts'

const termRecordSchema = z.object({
  term: z.int().positive(),
  /** Random: two leaderships with the same number and different ids are a fork. */
  id: z.string(),
  /** The log position at which this leadership began. */
  start: position,
  /**
   * An operator ran `tandem controller recover`: machines may accept this term although their last term is not its
   * ancestor.
   */
  recovered: z.boolean(),
})

/** The part of the desired state that the decision rooms decide: every feature's slice. */
const machineDesireSchema = z.object({ machine: name, ...desireSlices })

/**
 * Everything that one machine should have now: an envelope and every feature's slice. A stream begins with the whole
 * state. Later ones come whole or as changes (desiredChange.ts), from which the agent builds the whole: it obeys only
 * whole states, so a lost, repeated or reordered message cannot leave a machine half-way.
 */
export const desiredStateSchema = machineDesireSchema.extend({
  cluster: z.string(),
  /** The leadership that sends this, and the ones before it: with them an agent recognizes a restored or forked log. */
  term: z.int().positive(),
  terms: z.array(termRecordSchema),
  /** The log position at which this state was folded. */
  position,
  /** The orders that the machine's privileged helper must verify, signed by the controller: see identity/order.ts. */
  orders: ordersSchema.default(noOrders),
  /** By service, the signed `serviceOrderSchema` of the instances above; empty where the controller signs nothing. */
  serviceOrders: z.record(name, signedContentSchema).default({}),
})

export type MachineDesire = z.infer<typeof machineDesireSchema>
export type DesiredState = z.infer<typeof desiredStateSchema>
export type TermRecord = z.infer<typeof termRecordSchema>
