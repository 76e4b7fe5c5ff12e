import { nested, omitted } from '../shapes/group.ts'
import { requireShape } from './requireShape.ts'

export const requiresKeys = {
  requires: omitted(
    nested(
      requireShape,
      'Programs, packages and room that a machine must have. A rollout checks them first, on every machine that is to run the release; a restart, a reboot or a way back is never refused for them.',
      ['requirements', 'prerequisites', 'preconditions'],
    ),
  ),
}
