import { z } from 'zod'
import { longestOrder } from '../../identity/order.ts'
import type { HelperContext } from '../helperContext.ts'
import { serviceShape } from '../instanceShape.ts'
import { noArguments, operation, type Operations } from '../operation.ts'

const ofService = z.strictObject({ service: serviceShape })
const generationShape = z.string().max(200)
/** All secrets of a service, encrypted and as base64, fit into one request. */
const mostChars = 3_000_000

/** The secrets of this machine's services. */
export const serviceSecretOperations = ({ kept }: Pick<HelperContext, 'kept'>): Operations => ({
  'secrets.services': operation(noArguments, async () => kept.services()),
  'secrets.held': operation(ofService, async ({ service }) => kept.held(service), turnOf),
  'secrets.has': operation(
    z.strictObject({ service: serviceShape, generation: generationShape }),
    async ({ service, generation }) => kept.has(service, generation),
    turnOf,
  ),
  'secrets.take': operation(
    z.strictObject({
      service: serviceShape,
      order: z.string().max(longestOrder).nullable(),
      content: z.string().max(mostChars),
      values: z.base64().max(mostChars).nullable(),
    }),
    ({ service, ...carried }) => kept.take(service, carried),
    turnOf,
  ),
})

function turnOf({ service }: { service: string }): string {
  return `secrets ${service}`
}
