import { join } from 'node:path'
import { build, type Rolldown } from 'vite'

const checkout = join(import.meta.dirname, '..')

/** The folder of the built page, below the checkout and below the shipped program. */
export const builtPage = 'web/built'

/**
 * Builds the page into `out`, and returns the modules in it (the bundler's ids). The repository keeps the built page,
 * because `./tandem` installs no development packages; the same sources give the same bytes in any folder.
 */
export async function buildPage(out: string, root = checkout): Promise<string[]> {
  const { NODE_ENV: mode } = process.env
  // Vite reads it from here alone, and a test runner sets another.
  process.env['NODE_ENV'] = 'production'
  const options = { configFile: join(root, 'web/vite.config.ts'), build: { outDir: out }, logLevel: 'warn' } as const
  const built = await build(options).finally(() => {
    if (mode === undefined) delete process.env['NODE_ENV']
    else process.env['NODE_ENV'] = mode
  })
  const { output } = built as Rolldown.RolldownOutput // one build, that watches nothing
  return output.flatMap((part) => (part.type === 'chunk' ? Object.keys(part.modules) : []))
}

if (import.meta.main) await buildPage(join(checkout, builtPage))
