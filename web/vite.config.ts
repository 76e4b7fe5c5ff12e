import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'

/** Browsers that know `light-dark()` and all else that the page needs. */
const browsers = ['chrome123', 'firefox120', 'safari17.5']

/** The built page is kept in the repository, so its bytes depend on nothing but the sources and the packages. */
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  // The page is at `/` on every host, at any depth of a path.
  base: '/',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: 'built',
    emptyOutDir: true,
    target: browsers,
    cssTarget: browsers,
    // The policy allows no inline code and no `data:`.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
})
