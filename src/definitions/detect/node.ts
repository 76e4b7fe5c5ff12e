import type { Folder } from './folder.ts'
import type { Finding } from './renderYaml.ts'

interface Manifest {
  main: string | null
  scripts: Record<string, string>
}

interface PackageTool {
  name: string
  install: string
  run: (script: string) => string
}

const npm: PackageTool = { name: 'npm', install: 'npm ci', run: (script) => `npm run ${script}` }
const byLockfile: readonly [string, PackageTool][] = [
  [
    'pnpm-lock.yaml',
    { name: 'pnpm', install: 'pnpm install --frozen-lockfile', run: (script) => `pnpm run ${script}` },
  ],
  ['yarn.lock', { name: 'yarn', install: 'yarn install --immutable', run: (script) => `yarn run ${script}` }],
  ['bun.lock', { name: 'bun', install: 'bun install --frozen-lockfile', run: (script) => `bun run ${script}` }],
  ['bun.lockb', { name: 'bun', install: 'bun install --frozen-lockfile', run: (script) => `bun run ${script}` }],
  ['package-lock.json', npm],
  ['npm-shrinkwrap.json', npm],
]

/** Folders in which build scripts put their output. */
const builtFolders = ['dist', 'build', '.next', '.output', 'out', 'lib']
/** npm's own placeholder for a test that does not exist. */
const noTest = /no test specified/
const entryFiles = ['server.js', 'server.mjs', 'index.js', 'index.mjs', 'app.js', 'main.js', 'server.ts', 'index.ts']

export async function detectNode(folder: Folder): Promise<Finding | null> {
  const text = await folder.read('package.json')
  const entry = entryFiles.find((file) => folder.has(file))
  if (text === null) {
    if (entry === undefined || folder.has('index.html')) return null
    return { found: `a Node program (${entry})`, run: ['node', entry] }
  }
  const manifest = parseManifest(text)
  const locked = byLockfile.find(([file]) => folder.has(file))
  const tool = locked?.[1] ?? npm
  const run = startCommand(manifest, tool, entry)
  if (run === null) {
    const site = siteOf(folder, manifest, tool, locked !== undefined)
    if (site !== null) return site
    if (folder.has('index.html')) return null
  }
  return {
    found: `a Node project (package.json${locked ? `, ${locked[0]}` : ''})`,
    run: run ?? ['node', 'server.js'],
    runNote:
      run === null
        ? 'package.json has no `start` script and no `main`: name the program that starts the service.'
        : undefined,
    build: buildOf(manifest, tool, locked !== undefined),
    needed: ['node_modules', ...(manifest.scripts['build'] === undefined ? [] : builtFolders)],
  }
}

/** A site that is built and has no own server, as Vite and other tools make it. */
function siteOf(folder: Folder, manifest: Manifest, tool: PackageTool, isLocked: boolean): Finding | null {
  const script = manifest.scripts['build']
  if (script === undefined || !(folder.has('index.html') || folder.has('public'))) return null
  const output = script.includes('react-scripts') ? 'build' : 'dist'
  return {
    found: 'a static site built with Node (package.json)',
    run: ['python3', '-m', 'http.server', '${PORT}', '--bind', '${HOST}'],
    build: { ...buildOf(manifest, tool, isLocked), output },
  }
}

/** A start script of plain words runs directly: a package tool in between would withhold signals and use 60 MB. */
function startCommand({ scripts, main }: Manifest, tool: PackageTool, entry: string | undefined): string[] | null {
  const start = scripts['start']
  if (start !== undefined) {
    const words = start.trim().split(/\s+/)
    const isPlain = words[0] === 'node' && /^[\w\s./=@:-]+$/.test(start)
    return isPlain ? words : [tool.name, 'run', 'start']
  }
  const file = main ?? entry
  return file === undefined ? null : ['node', file]
}

function buildOf({ scripts }: Manifest, tool: PackageTool, isLocked: boolean): Finding['build'] {
  const install = isLocked ? tool.install : `${tool.name} install`
  const test = scripts['test']
  return {
    command: scripts['build'] === undefined ? install : `${install} && ${tool.run('build')}`,
    ...(test === undefined || noTest.test(test) ? {} : { test: tool.run('test') }),
  }
}

function parseManifest(text: string): Manifest {
  const empty: Manifest = { main: null, scripts: {} }
  try {
    const parsed: unknown = JSON.parse(text.replace(/^\uFEFF/, ''))
    if (!isRecord(parsed)) return empty
    const scripts = isRecord(parsed['scripts']) ? Object.entries(parsed['scripts']) : []
    return {
      main: typeof parsed['main'] === 'string' && parsed['main'] !== '' ? parsed['main'] : null,
      scripts: Object.fromEntries(scripts.filter((entry): entry is [string, string] => typeof entry[1] === 'string')),
    }
  } catch {
    return empty
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null
