import { mostEntries } from '../bounds.ts'
import { omitted, optional } from '../shapes/group.ts'
import { list } from '../shapes/list.ts'
import { useShape } from './useShape.ts'

export const usesKeys = {
  uses: omitted(
    optional(
      list(useShape, { what: 'services', least: 1, most: mostEntries }),
      'Services of this cluster, and addresses outside it, that this service calls. Each service gives the variables NAME_HOST and NAME_PORT, and NAME_URL if it listens http.',
      ['needs', 'depends_on', 'dependencies', 'links', 'requires_services'],
    ),
  ),
}
