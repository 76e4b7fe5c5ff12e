import type { releaseDefinitionOperations } from '../../api/releaseDefinition.ts'
import { writtenKeys } from '../../definitions/writtenKeys.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import type { Handlers, Rooms } from '../handlers.ts'

export const releaseDefinitionHandlers = ({
  controller,
  releases,
}: Rooms): Handlers<keyof typeof releaseDefinitionOperations> => ({
  releaseDefinition: ({ params: { service, release: prefix } }) => {
    const known = controller.state.releases[releases.resolve(service, prefix)]
    if (known?.service !== service) {
      throw new OperatorError('E_RELEASE_GONE', `release ${prefix} of ${service} is not in the store`, {
        subject: service,
        next: `tandem releases ${service}`,
      })
    }
    const { id, definition } = known
    return { service, release: id, keys: writtenKeys(definition), drainMs: definition.rollout.drainMs }
  },
})
