import { z } from 'zod'
import { longestOrder } from '../../identity/order.ts'
import type { HelperContext } from '../helperContext.ts'
import { generationShape, serviceShape } from '../instanceShape.ts'
import { listUnits } from '../../drivers/supervisor/systemd/unitFiles.ts'
import { unitFolder } from '../../layout/units.ts'
import { noArguments, operation, type Operations } from '../operation.ts'
import { HelperKey } from './helperKey.ts'
import { KeptSecrets } from './keptSecrets.ts'

const ofService = z.strictObject({ service: serviceShape })
/** All secrets of a service, encrypted and as base64, fit into one request. */
const mostChars = 3_000_000

type Context = Pick<HelperContext, 'folder' | 'now' | 'unitExtras' | 'secretValues'>

/** The secrets of this machine's services; their instances get them from here on. */
export function openServiceSecrets({ folder, now, unitExtras, secretValues }: Context): Operations {
  const kept = new KeptSecrets({ folder, key: new HelperKey(folder.path), now })
  kept.links.keepOnly(listUnits(unitFolder).map(({ unit }) => unit))
  unitExtras.push({
    attach: (unit, { service, release, secrets }) =>
      secrets ? kept.link(unit, { service, release, generation: secrets.generation }) : [],
    detach: (unit) => kept.links.remove(unit),
    explain: (service) => kept.removeBroken(service),
  })
  secretValues.push((service, generation) => kept.values(service, generation))
  return operations(kept)
}

const operations = (kept: KeptSecrets): Operations => ({
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
