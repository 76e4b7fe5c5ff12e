import { fileURLToPath } from 'node:url'
import { build, defineConfig, type Plugin, type Rolldown } from 'vite'

/** Browsers that know `light-dark()` and all else that the page needs. */
const browsers = ['chrome123', 'firefox120', 'safari17.5']

/**
 * The browser fetches the code that shows the page beside the code that asks for the state, which imports it later on;
 * otherwise it would learn of it a round trip later.
 */
const viewAtOnce: Plugin = {
  name: 'view-at-once',
  transformIndexHtml: {
    order: 'post',
    handler: (html, { bundle = {} }) => {
      const parts = Object.values(bundle)
      const chunks = parts.filter((part): part is Rolldown.OutputChunk => part.type === 'chunk')
      const view = chunks.find(({ name }) => name === 'view')
      const scripts = view ? [view.fileName, ...view.imports] : []
      const styles = [...(view?.viteMetadata?.importedCss ?? [])]
      const links = [
        ...scripts.map((file) => ({ rel: 'modulepreload', crossorigin: true, href: `/${file}` })),
        ...styles.map((file) => ({ rel: 'stylesheet', crossorigin: true, href: `/${file}` })),
      ]
      return links.filter(({ href }) => !html.includes(href)).map((attrs) => ({ tag: 'link', attrs, injectTo: 'head' }))
    },
  },
}

/**
 * The lines that begin the first requests stand in the page itself, before its other files. The controller's policy
 * allows them by their hash.
 */
const earlyInline: Plugin = {
  name: 'early-inline',
  apply: 'build',
  transformIndexHtml: {
    order: 'post',
    handler: async (html) => {
      const input = fileURLToPath(new URL('app/early.ts', import.meta.url))
      const options = {
        write: false,
        target: browsers,
        rolldownOptions: { input, output: { format: 'iife' } },
      } as const
      const built = await build({ configFile: false, logLevel: 'warn', build: options })
      const { output } = built as Rolldown.RolldownOutput // one build, that watches nothing
      const script = `<script>${output[0].code.trim()}</script>`
      return html.replace('<link rel="icon"', (icon) => `${script}\n    ${icon}`)
    },
  },
}

/** The built page is kept in the repository, so its bytes depend on nothing but the sources and the packages. */
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  // The page is at `/` on every host, at any depth of a path.
  base: '/',
  plugins: [viewAtOnce, earlyInline],
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: 'built',
    emptyOutDir: true,
    target: browsers,
    cssTarget: browsers,
    // The policy allows no other inline code, and no `data:`.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    // Two files for the first load, the second one with everything but what asks for the state: a browser makes six
    // connections, and each costs a round trip.
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            { name: 'start', tags: ['$initial'], priority: 2 },
            { name: 'view', test: /app\/view\.tsx$/, priority: 1 },
          ],
        },
      },
    },
  },
})
