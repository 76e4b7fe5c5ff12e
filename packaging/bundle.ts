import { cpSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { rolldown } from 'rolldown'

const root = join(import.meta.dirname, '..')

/**
 * What ships: the whole program as plain JavaScript in `DIR/lib`, beside the package.json that names its version. Smaller
 * in memory than the sources by what it takes to strip types and to keep a few hundred modules apart.
 */
export async function bundle(dir: string): Promise<{ main: string }> {
  rmSync(dir, { recursive: true, force: true })
  mkdirSync(dir, { recursive: true })
  const build = await rolldown({
    cwd: root,
    input: { main: 'src/main.ts', releaseWorker: 'src/releases/releaseWorker.ts' },
    platform: 'node',
    external: [/^node:/],
  })
  await build.write({
    dir: join(dir, 'lib'),
    format: 'esm',
    minify: true,
    // Flat: each file finds its neighbours (the worker, the migrations) beside itself.
    entryFileNames: '[name].js',
    chunkFileNames: '[name]-[hash].js',
  })
  await build.close()
  cpSync(join(root, 'src/store/migrations'), join(dir, 'lib/migrations'), { recursive: true })
  cpSync(join(root, 'package.json'), join(dir, 'package.json'))
  return { main: join(dir, 'lib/main.js') }
}

if (import.meta.main) console.log((await bundle(process.argv[2] ?? join(root, 'dist/tandem'))).main)
