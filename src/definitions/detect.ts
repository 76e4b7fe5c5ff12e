import { basename, resolve } from 'node:path'
import { detectElixir } from './detect/elixir.ts'
import { openFolder, type Folder } from './detect/folder.ts'
import { detectGo } from './detect/go.ts'
import { detectNode } from './detect/node.ts'
import { detectPython } from './detect/python.ts'
import { detectRuby } from './detect/ruby.ts'
import { detectStatic } from './detect/static.ts'
import { renderYaml, type Finding } from './detect/renderYaml.ts'
import { nameFrom } from './detect/serviceName.ts'

export type ProjectKind = 'node' | 'python' | 'go' | 'ruby' | 'elixir' | 'static' | 'unknown'

export interface DetectedProject {
  kind: ProjectKind
  /** The name proposed for the service. */
  service: string
  /** The kind of project, in words, for the line that `tandem init` prints. */
  found: string
  /** A commented `tandem.yaml`; `parseDefinition` accepts it. */
  yaml: string
  /**
   * A `.tandemignore` to write beside the definition: the project's `.gitignore` without the files that the service
   * needs to run, such as `node_modules`, or with the files that visitors of a site must not see. `null` when none is
   * needed, or one exists.
   */
  ignore: string | null
}

/** Tried in this order: a folder with a server and an `index.html` belongs to a server. */
const detectors: readonly (readonly [ProjectKind, (folder: Folder, service: string) => Promise<Finding | null>])[] = [
  ['elixir', detectElixir],
  ['ruby', detectRuby],
  ['go', detectGo],
  ['python', detectPython],
  ['node', detectNode],
  ['static', detectStatic],
]

/**
 * Looks at a project's folder and writes a `tandem.yaml` to start from. Reads a few files and runs nothing. A malformed
 * file counts as absent. Throws the system's error when `dir` is not a readable folder.
 */
export async function detectProject(dir: string): Promise<DetectedProject> {
  const folder = await openFolder(dir)
  const service = nameFrom(basename(resolve(dir)))
  for (const [kind, detect] of detectors) {
    const finding = await detect(folder, service)
    if (finding !== null) return describe(kind, service, finding, folder)
  }
  return describe('unknown', service, unknown, folder)
}

async function describe(
  kind: ProjectKind,
  service: string,
  finding: Finding,
  folder: Folder,
): Promise<DetectedProject> {
  return {
    kind,
    service,
    found: finding.found,
    yaml: renderYaml(service, finding),
    ignore: await ignoreFor(finding, folder),
  }
}

/**
 * A release leaves out the files that `.gitignore` names, which is right for secrets and wrong for files that the build
 * installs.
 */
async function ignoreFor({ needed, unseen, build }: Finding, folder: Folder): Promise<string | null> {
  if (folder.has('.tandemignore')) return null
  const ignored = await folder.read('.gitignore')
  if (unseen !== undefined) {
    const why = '# Files that a release leaves out. Otherwise visitors of the site could read them.'
    return `${[why, ...(ignored === null ? [] : [ignored.trimEnd()]), ...unseen].join('\n')}\n`
  }
  if (ignored === null || needed === undefined || build?.output !== undefined) return null
  const head =
    '# Files that a release leaves out. Written by `tandem init` from .gitignore, which is not read while this file exists.'
  const tail = ['# Needed to run, though git ignores it:', ...needed.map((name) => `!${name}/`)]
  return `${[head, ignored.trimEnd(), '', ...tail].join('\n')}\n`
}

const unknown: Finding = {
  found: 'no known kind of project',
  run: ['./server', '--port', '${PORT}'],
  runNote: 'The command that starts your service; it must listen on ${HOST}:${PORT}.',
}
