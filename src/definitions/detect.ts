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
  /** What was found, in words, for the line that `tandem init` prints. */
  found: string
  /** A commented `tandem.yaml`; `parseDefinition` accepts it. */
  yaml: string
  /**
   * A `.tandemignore` to write beside it: the project's `.gitignore` less what the service needs to run, such as
   * `node_modules`, or what visitors of a site are not to see. `null` when none is needed, or one is there.
   */
  ignore: string | null
}

/** Asked in this order: a folder with a server and an `index.html` is a server's. */
const detectors: readonly (readonly [ProjectKind, (folder: Folder, service: string) => Promise<Finding | null>])[] = [
  ['elixir', detectElixir],
  ['ruby', detectRuby],
  ['go', detectGo],
  ['python', detectPython],
  ['node', detectNode],
  ['static', detectStatic],
]

/**
 * Looks at a project's folder and writes the `tandem.yaml` to start from. Reads a few files, runs nothing. Files that
 * are malformed count as absent. Throws the environment's error when `dir` is no folder that can be read.
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

/** A release leaves out what `.gitignore` names, which is right for secrets and wrong for what the build installs. */
async function ignoreFor({ needed, unseen, build }: Finding, folder: Folder): Promise<string | null> {
  if (folder.has('.tandemignore')) return null
  const ignored = await folder.read('.gitignore')
  if (unseen !== undefined) {
    const why = '# What a release leaves out. Whoever visits the site could read it all.'
    return `${[why, ...(ignored === null ? [] : [ignored.trimEnd()]), ...unseen].join('\n')}\n`
  }
  if (ignored === null || needed === undefined || build?.output !== undefined) return null
  const head =
    '# What a release leaves out. Written by `tandem init` from .gitignore, which is not read while this file is here.'
  const tail = ['# Needed to run, though git ignores it:', ...needed.map((name) => `!${name}/`)]
  return `${[head, ignored.trimEnd(), '', ...tail].join('\n')}\n`
}

const unknown: Finding = {
  found: 'nothing that is known',
  run: ['./server', '--port', '${PORT}'],
  runNote: 'what starts your service; it must listen on ${HOST}:${PORT}',
}
