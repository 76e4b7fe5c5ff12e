import { entries } from '../shapes/entries.ts'
import { flag } from '../shapes/flag.ts'
import { allOmitted, group, omitted, optional } from '../shapes/group.ts'
import { choice, verbatim } from '../shapes/text.ts'
import { environmentNamePattern, refuseEnvironmentName } from '../names.ts'
import { mostSettings, settingTypes } from './settings.ts'

const setting = group(
  'a setting',
  allOmitted({
    type: optional(choice(settingTypes), 'Values that are accepted. Left out: any text.', ['kind', 'format']),
    default: optional(verbatim('a text'), 'Its value until somebody sets one. Left out: none; then it is not set.', [
      'value',
      'fallback',
    ]),
    required: optional(flag(), 'No rollout begins before somebody has set it.', ['mandatory']),
  }),
)

export const configKeys = {
  config: omitted(
    optional(
      entries(setting, {
        what: 'a map of settings',
        least: 1,
        most: mostSettings,
        pattern: environmentNamePattern,
        refuseKey: refuseEnvironmentName,
      }),
      'Settings that change without a release: variables, and `${NAME}` in commands and `env`. `tandem config set` sets them. Left out: none.',
      ['settings', 'configuration', 'options', 'parameters'],
    ),
  ),
}
