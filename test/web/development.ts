import { createServer } from 'vite'
import { live, twelveServices } from './scenario.ts'
import { ServedCluster } from './servedCluster.ts'

/*
 * `make web`: the page as it is being written, with a real controller over fake drivers. PORT: of the page, 7490 by
 * default. SPEED: how fast time passes for the cluster, 1 by default.
 */
const port = Number(process.env['PORT'] ?? 7_490)
const cluster = await twelveServices()
live(cluster)
const served = await ServedCluster.start(cluster, { speed: Number(process.env['SPEED'] ?? 1) })
const vite = await createServer({
  configFile: new URL('../../web/vite.config.ts', import.meta.url).pathname,
  // The controller sees the host and the origin that the browser sends.
  server: {
    port,
    strictPort: true,
    host: '127.0.0.1',
    proxy: { '/api': { target: `http://127.0.0.1:${served.port}`, changeOrigin: false } },
  },
})
await vite.listen()
console.log(`the page, signed in as an operator: ${await served.link({ port })}`)
console.log(`as a reader:                        ${await served.link({ port, role: 'reader', name: 'eyes' })}`)
console.log('a link works once, within a minute; Ctrl-C ends')
