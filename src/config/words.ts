import { change, type Words } from '../decision/words.ts'
import type { ConfigEvents } from '../events/configEvents.ts'

export const configWords: Words<ConfigEvents> = {
  ConfigChanged: ({ service, version, reason, of }) => {
    const text = of === null ? `has configuration ${version}` : `has configuration ${of} again, as ${version}`
    return change('note', service, `${text}${reason === null ? '' : `: ${reason}`}`, { service })
  },
}
