import { argv } from '../shapes/argv.ts'
import { entries } from '../shapes/entries.ts'
import { group, omitted, optional, required } from '../shapes/group.ts'
import { clip, text } from '../shapes/text.ts'
import { filePath, filePathRule, mostFiles } from './paths.ts'

const file = group('a file', {
  template: required(
    text({ expects: 'a file of the release, such as app.conf.liquid', pattern: filePath }),
    'Template in the release, in the language Liquid',
    ['source', 'src', 'from'],
  ),
  check: omitted(
    optional(
      argv,
      'Must exit with 0 before anything is stopped; `{}` stands for the path of the file. Runs as the service, with its environment. Left out: no check.',
      ['validate', 'test', 'command'],
    ),
  ),
})

export const fileKeys = {
  files: omitted(
    optional(
      entries(file, {
        what: 'a map of files',
        least: 1,
        most: mostFiles,
        pattern: filePath,
        refuseKey: (name) => (filePath.test(name) ? null : `\`${clip(name)}\` is not ${filePathRule}`),
      }),
      'Files below $TANDEM_FILES, filled in once per rollout and machine with the configuration and the secrets of the service. Left out: none.',
      ['templates', 'configs', 'configFiles'],
    ),
  ),
}
