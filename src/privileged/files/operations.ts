import { z } from 'zod'
import { filePath, filesVariable } from '../../definitions/files/paths.ts'
import { listUnits } from '../../drivers/supervisor/systemd/unitFiles.ts'
import { unitName } from '../../drivers/supervisor/systemd/unitName.ts'
import { permitsFile, shownFiles } from '../../layout/folders.ts'
import { unitFolder } from '../../layout/units.ts'
import { createSystemctl } from '../../systemd/systemctl.ts'
import type { HelperContext } from '../helperContext.ts'
import { renderRequestSchema } from '../../templates/request.ts'
import { carriedShape, generationShape, releaseShape, serviceShape } from '../instanceShape.ts'
import { refuseJail } from '../jailPermits.ts'
import { operation, type Operations } from '../operation.ts'
import { unitsFor } from '../services/openServices.ts'
import { FillingFiles, filesOf } from './fillingFiles.ts'
import { KeptFiles } from './keptFiles.ts'

const path = z.string().max(900).regex(filePath)
const wanted = z.record(serviceShape, z.array(generationShape).max(1_000))
const asked = z.strictObject({
  ...{ service: serviceShape, generation: generationShape },
  order: carriedShape,
})

/** No controller signs it, so it names only files of the release. */
const askedText = z.strictObject({
  ...{ service: serviceShape, release: releaseShape },
  ...renderRequestSchema.omit({ folder: true }).shape,
  files: z.record(path, path),
})

/** The filled-in files of this machine's services; their programs get them from here on. */
export function openFiles(context: HelperContext): Operations {
  const { folder, orders, programs, releases, unitExtras, programExtras, secretValues } = context
  const kept = new KeptFiles(folder.path)
  kept.links.keepOnly(listUnits(unitFolder).map(({ unit }) => unit))
  programExtras.push((program, generation) =>
    filesOf(program) === null || generation === null
      ? {}
      : { settings: { [filesVariable]: shownFiles }, planned: { files: { generation } } },
  )
  unitExtras.push({
    attach: (unit, { service, files }) =>
      files ? kept.link({ unit, service, generation: files.generation }, shownFiles) : [],
    detach: (unit) => kept.links.remove(unit),
  })
  const filling = new FillingFiles({
    ...{ orders, programs, kept, refuseJail: (service, jail) => refuseJail(service, jail, permitsFile) },
    releaseFolder: (release) => releases.folder(release),
    valuesOf: async (service, generation) => {
      const all = await Promise.all(secretValues.map((of) => of(service, generation)))
      const found = all.find((values) => values !== null)
      if (!found) throw new Error(`the secrets of generation ${generation} of ${service} are not on this machine`)
      return found
    },
    credentialsOf: (spec) => unitExtras.flatMap(({ attach }) => attach(unitName(spec.service, spec.id), spec)),
    detach: (spec) => unitExtras.forEach(({ detach }) => detach(unitName(spec.service, spec.id))),
    // Only root opens the streams of these programs.
    units: unitsFor(context, 0),
    systemctl: createSystemctl(),
  })
  return {
    'files.fill': operation(asked, (of) => filling.fill(of), turnOf),
    'files.keepOnly': operation(z.strictObject({ generations: wanted }), async ({ generations }) =>
      kept.keepOnlyThose(generations),
    ),
    'files.show': operation(askedText, (of) => filling.show(of), turnOf),
  }
}

function turnOf({ service }: { service: string }): string {
  return `files ${service}`
}
