import { statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { DefinitionError, renderWarnings, type Problem } from '../../definitions/problem.ts'
import { accessOf, type RouteAccess } from '../../definitions/routeAccess.ts'
import { readCluster, readDefinition } from '../../definitions/readDefinition.ts'
import { featureFolderChecks } from '../features.ts'
import { count } from '../render/names.ts'
import type { CommonFlags, Session } from '../session.ts'

interface Validated {
  file: string
  kind: 'service' | 'cluster'
  name: string | null
  errors: readonly Problem[]
  warnings: readonly Problem[]
  /** Access to each route; only for the definition of a service, without errors. */
  routes?: readonly RouteAccess[]
}

/** Checks every file, also after one with errors. Exits with 2 if any file has an error. */
export async function validate(session: Session, _flags: CommonFlags, ...files: string[]): Promise<number> {
  const { out, host } = session
  const checked: { result: Validated; text: string }[] = []
  for (const file of files.length > 0 ? files : ['tandem.yaml']) checked.push(await check(file, host.cwd))
  for (const { text } of checked) if (text !== '' && !out.json) out.note(`${text}\n`)
  for (const { result } of checked) if (result.errors.length === 0) for (const line of said(result)) out.line(line)
  const wrong = checked.filter(({ result }) => result.errors.length > 0)
  const results = checked.map(({ result }) => result)
  if (wrong.length === 0) out.object({ files: results })
  else if (out.json) {
    const message = `found errors in ${wrong.length} of ${count(files.length || 1, 'file')}`
    const error = {
      code: 'E_DEFINITION',
      message,
      subject: wrong[0]?.result.file ?? null,
      next: 'correct the errors and run tandem validate again',
    }
    out.object({ error, files: results })
  }
  return wrong.length === 0 ? 0 : 2
}

async function check(given: string, cwd: string): Promise<{ result: Validated; text: string }> {
  const file = isFolder(resolve(cwd, given)) ? join(given, 'tandem.yaml') : given
  // Errors show the path as the user typed it, which is correct only in the same folder.
  const path = cwd === process.cwd() ? file : resolve(cwd, file)
  const kind = await kindOf(path)
  try {
    const { name, warnings, ...more } = await parse(path, kind)
    return { result: { file, kind, name, errors: [], warnings, ...more }, text: renderWarnings(warnings) }
  } catch (error) {
    if (!(error instanceof DefinitionError)) throw error
    return { result: { file, kind, name: null, errors: error.problems, warnings: [] }, text: error.render() }
  }
}

async function parse(
  path: string,
  kind: Validated['kind'],
): Promise<{ name: string; warnings: Problem[]; routes?: RouteAccess[] }> {
  if (kind === 'cluster') {
    const { cluster, warnings } = await readCluster(path)
    return { name: cluster.cluster, warnings }
  }
  const { definition, warnings } = await readDefinition(path)
  await featureFolderChecks(definition, dirname(path))
  return { name: definition.service, warnings, routes: accessOf(definition) }
}

const said = ({ file, kind, name, warnings, routes = [] }: Validated): string[] => [
  `${file}: ${kind} ${name} is valid${warnings.length > 0 ? `, with ${count(warnings.length, 'warning')}` : ''}`,
  ...routes.map((one) => `  ${accessLine(one)}`),
]

function accessLine({ environment, route, expose, byDefault }: RouteAccess): string {
  const where = environment === null ? '' : `${environment}: `
  const who = expose === 'public' ? 'everybody' : "only programs on the cluster's machines"
  return `${where}${route} is ${expose}${byDefault ? ' (the default)' : ''}: ${who} can reach it`
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}

/** Decides by name, else by the key that only one kind has. The parser reports a file that cannot be read. */
async function kindOf(path: string): Promise<Validated['kind']> {
  const name = basename(path)
  if (/cluster.*\.ya?ml$/.test(name)) return 'cluster'
  if (/tandem.*\.ya?ml$/.test(name)) return 'service'
  const text = await readFile(path, 'utf8').catch(() => '')
  return /^cluster\s*:/m.test(text) && !/^service\s*:/m.test(text) ? 'cluster' : 'service'
}
