import { cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { rolldown } from 'rolldown'
import { bundledPackages, type BundledPackage } from './bundledPackages.ts'
import { builtPage, buildPage } from './page.ts'
import { readProgram } from './program.ts'

interface Bundle {
  /** The file to run. */
  main: string
  /** Other packages whose code is in the bundle. */
  packages: BundledPackage[]
}

interface Options {
  /** Default: this checkout. */
  root?: string
  /** Default: the one in package.json. */
  version?: string
}

const checkout = join(import.meta.dirname, '..')

/** Programs and workers. Tests also bundle earlier commits, which lack some of them. */
const programs = {
  main: 'src/main.ts',
  releaseWorker: 'src/releases/releaseWorker.ts',
  snapshotWorker: 'src/controller/past/snapshotWorker.ts',
  trial: 'src/trial.ts',
}

/**
 * Builds the shipped program: plain JavaScript in `DIR/lib`, beside a package.json that names its version. It needs
 * less memory than the sources, because it has no types to strip and no hundreds of separate modules. It names no
 * folder of this computer, so the same sources give the same bytes anywhere.
 */
export async function bundle(dir: string, { root = checkout, version }: Options = {}): Promise<Bundle> {
  rmSync(dir, { recursive: true, force: true })
  mkdirSync(dir, { recursive: true })
  const build = await rolldown({
    cwd: root,
    input: Object.fromEntries(Object.entries(programs).filter(([, file]) => existsSync(join(root, file)))),
    platform: 'node',
    external: [/^node:/],
  })
  const { output } = await build.write({
    dir: join(dir, 'lib'),
    format: 'esm',
    minify: true,
    // The folder is flat, because each file expects its neighbours (the worker, the migrations) beside itself.
    entryFileNames: '[name].js',
    chunkFileNames: '[name]-[hash].js',
  })
  await build.close()
  cpSync(join(root, 'src/store/migrations'), join(dir, 'lib/migrations'), { recursive: true })
  const program = readProgram(root)
  const about = { ...program, version: version ?? program.version, type: 'module' }
  writeFileSync(join(dir, 'package.json'), `${JSON.stringify(about, null, 2)}\n`)
  const own = output.flatMap((part) => (part.type === 'chunk' ? Object.keys(part.modules) : []))
  const ofPage = existsSync(join(root, 'web')) ? await buildPage(join(dir, builtPage), root) : []
  const modules = [...own, ...ofPage]
  return { main: join(dir, 'lib/main.js'), packages: bundledPackages(root, modules) }
}

if (import.meta.main) console.log((await bundle(process.argv[2] ?? join(checkout, 'dist/tandem'))).main)
