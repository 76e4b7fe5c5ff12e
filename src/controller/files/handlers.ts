import type { filesOperations } from '../../api/files.ts'
import type { Definition } from '../../definitions/definition.ts'
import { noSuchService } from '../../decision/knownServices.ts'
import { refuseUnknownMachine } from '../../fleet/decideMachine.ts'
import { newestRelease } from '../../fleet/serving.ts'
import { featurePins } from '../../rollout/features.ts'
import { refuseFiles } from '../../rollout/files/feature.ts'
import { templateVariables } from '../../rollout/files/desired.ts'
import { wantedOn } from '../../rollout/serviceView.ts'
import { templatesOf } from '../../protocol/files.ts'
import type { Handlers, Rooms } from '../handlers.ts'
import { refusalError, unlessRefused } from '../refusalError.ts'

type State = Rooms['controller']['state']

export const filesHandlers = ({ controller, releases, renders }: Rooms): Handlers<keyof typeof filesOperations> => ({
  renderFiles: async ({ params: { service }, query }) => {
    const { state, observed } = controller
    const release = query.release === undefined ? null : releases.resolve(service, query.release)
    const meant = meantOf(state, service, release)
    const machine = query.machine ?? machineFor(state, meant.definition)
    unlessRefused(refuseUnknownMachine(state, [machine]))
    unlessRefused(refuseFiles(state, observed, service))
    const { files = {}, secrets = {} } = meant.definition
    const filled = await renders.ask(machine, {
      release: meant.release,
      files: templatesOf(files),
      variables: templateVariables(state, machine, meant),
      secrets: Object.keys(secrets),
    })
    return {
      ...{ service, machine, release: meant.release, generation: meant.generation },
      files: Object.entries(files).map(([path, { template }]) => ({ path, template, text: filled[path] ?? '' })),
    }
  },
})

interface Meant {
  release: string
  definition: Definition
  values: Record<string, string>
  generation: string | null
}

/** The release and the configuration with which the service runs; those of a rollout, where it does not or one is named. */
function meantOf(state: State, service: string, wanted: string | null): Meant {
  const current = state.services[service]?.current ?? null
  const release = wanted ?? current?.release ?? newestRelease(state, service)?.id
  const known = state.releases[release ?? '']
  if (known?.service !== service) throw refusalError(noSuchService(state, service))
  const { id, definition } = known
  const isCurrent = wanted === null && current !== null
  const pins = isCurrent ? state.generations[current.generation]?.pins : featurePins(state, definition, {}).pins
  return {
    release: id,
    definition,
    values: pins?.config?.values ?? {},
    generation: isCurrent ? current.generation : null,
  }
}

const machineFor = (state: State, definition: Definition): string =>
  Object.keys(state.machines)
    .sort()
    .find((machine) => wantedOn(state, definition, machine) > 0) ?? ''
