import type { ReleaseDefinition } from '../../api/releaseDefinition.ts'
import type { Paint } from '../paint.ts'
import { onOneLine } from './names.ts'

/** A line for each key; those that equal a default are dim and say so. */
export const renderDefinition = ({ keys }: ReleaseDefinition, paint: Paint): string =>
  keys
    .map(({ key, value, isDefault }) => {
      const line = `${onOneLine(key)}: ${onOneLine(value)}`
      return isDefault ? paint('dim', `${line}  # default`) : line
    })
    .join('\n')
