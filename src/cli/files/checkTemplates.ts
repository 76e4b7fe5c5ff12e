import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Definition } from '../../definitions/definition.ts'
import { DefinitionError, type Problem } from '../../definitions/problem.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import { findEntry } from '../../releases/findEntry.ts'
import type { ReleaseDescription } from '../../releases/releaseDescription.ts'
import { readTemplate } from '../../templates/fillFiles.ts'
import { Template } from '../../templates/template.ts'
import { TemplateError, type TemplateProblem } from '../../templates/templateProblem.ts'

/** Checks that the release has each template, and that each can be read and names only what it may name. */
export function checkTemplates(definition: Definition, folder: string, description: ReleaseDescription): void {
  const templates = templatesOf(definition)
  for (const template of templates)
    if (findEntry(description, template)?.type !== 'file') throw missing(template, description)
  throwProblems(definition, folder, templates)
}

/** The same of a folder that is not built yet: for the templates that are there. */
export function checkWrittenTemplates(definition: Definition, folder: string): void {
  const root = rootOf(definition, folder)
  throwProblems(
    definition,
    folder,
    templatesOf(definition).filter((template) => existsSync(join(root, template))),
  )
}

const templatesOf = ({ files = {} }: Definition): string[] => [
  ...new Set(Object.values(files).map(({ template }) => template)),
]

const rootOf = ({ build }: Definition, folder: string): string => resolve(folder, build.output ?? '.')

function throwProblems(definition: Definition, folder: string, templates: readonly string[]): void {
  const known = namesIn(definition)
  const problems = templates.flatMap((template) => problemsIn(rootOf(definition, folder), template, known))
  const [first] = problems
  if (first) throw new DefinitionError(first.file, problems, null, 'fix the template and push again')
}

/** The names that a template may use. */
const namesIn = ({ config = {}, secrets = {} }: Definition): Record<string, string[]> => ({
  cluster: ['name'],
  machine: ['name', 'address'],
  service: ['name', 'release'],
  config: Object.keys(config),
  secrets: Object.keys(secrets),
})

function problemsIn(root: string, template: string, known: Record<string, string[]>): Problem[] {
  let text = ''
  const inFile = (problem: TemplateProblem): Problem => shown(problem, resolve(root, template), text)
  try {
    text = readTemplate(root, template)
    return new Template(template, text).unknownNames(known).map(inFile)
  } catch (error) {
    if (error instanceof TemplateError) return [inFile(error.problem)]
    throw error
  }
}

const mostShown = 200

function shown({ line, column, message }: TemplateProblem, file: string, text: string): Problem {
  const whole = text.split('\n')[line - 1]?.replace(/\r$/, '') ?? ''
  const from = column > mostShown ? column - mostShown / 2 : 0
  const lineText = whole.slice(from, from + mostShown)
  return { file, line, column, message, lineText, caret: column - 1 - from, suggestion: null }
}

function missing(template: string, { leftOut: { paths, ignoreFile } }: ReleaseDescription): OperatorError {
  const ignored = paths.some((path) => path === template || (path.endsWith('/') && template.startsWith(path)))
  return new OperatorError('E_RELEASE_CONTENT', `the release has no file ${template}, which \`files\` names`, {
    subject: template,
    next: ignored
      ? `${ignoreFile} excludes it; include it and push again`
      : 'correct the path in tandem.yaml; links are not followed',
  })
}
