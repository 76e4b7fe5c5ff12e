import { join } from 'node:path'
import { argv } from 'node:process'
import { ReleaseCache } from './releaseCache.ts'
import { openTestDepot } from './releaseFixture.ts'

/** A process for tests to kill: fetches a release, makes its folder and reports its progress. */
const [root = '', id = ''] = argv.slice(2)
const { depot } = await openTestDepot(join(root, 'store'))
const cache = await ReleaseCache.open(join(root, 'cache'))
await cache.fetch(id, depot, { onProgress: ({ blobs }) => void process.send?.(blobs) })
process.send?.(1000)
await cache.materialise(id)
process.disconnect()
