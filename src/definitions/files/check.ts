import type { Definition } from '../definition.ts'
import { placeholdersIn } from '../placeholders.ts'
import type { YamlSource } from '../yamlSource.ts'
import { filesVariable } from './paths.ts'

/** Checks the files of a service against each other. */
export function checkFiles({ files = {} }: Pick<Definition, 'files'>, source: YamlSource): void {
  const paths = Object.keys(files)
  for (const [path, { check = [] }] of Object.entries(files)) {
    const below = paths.find((other) => other.startsWith(`${path}/`))
    if (below !== undefined) source.problem(['files', path], `is the folder of ${below} too; give it another name`)
    for (const [index, word] of check.entries()) {
      const [first] = placeholdersIn(word)
      if (first === undefined) continue
      const message = `${first.written} is not replaced here; the command has it as a variable, which \`sh -c\` reads`
      source.problem(['files', path, 'check', index], message, { part: first.written })
    }
  }
}

/** The variables that files set. */
export const fileVariables = ({ files }: Pick<Definition, 'files'>): string[] => (files ? [filesVariable] : [])
