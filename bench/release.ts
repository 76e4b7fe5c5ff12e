/**
 * Cost of a change of one 1 MB file in a tree of 10,000 files and 226 MB: bytes sent to each machine and seconds of
 * each step, compared with `tar | zstd` of the whole tree. Everything is on this machine's disk and in one process, so
 * the result contains no network time; the bytes are those that a network would carry.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { mkdir, mkdtemp, utimes, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../src/lib/clock.ts'
import { describeFolder } from '../src/releases/describeFolder.ts'
import { DirectoryStore } from '../src/releases/directoryStore.ts'
import { objectsIn } from '../src/releases/objectReading.ts'
import { publish } from '../src/releases/publish.ts'
import { ReleaseCache } from '../src/releases/releaseCache.ts'
import { ReleaseDepot } from '../src/releases/releaseDepot.ts'
import { definition } from '../src/releases/releaseFixture.ts'
import { OwnFolders } from '../src/releases/releaseFolders.ts'
import { removeTree } from '../src/releases/removeTree.ts'
import { HttpDepot, serve } from './httpDepot.ts'

const runs = Number(process.env['RUNS'] ?? 5)
const files = 10_000
const totalBytes = 226_000_000
const goals = { bytesPerMachine: 1_500_000, pushToFetchedMs: 3000 }

const parent = join(import.meta.dirname, '../tmp')
await mkdir(parent, { recursive: true })
const root = await mkdtemp(join(parent, 'bench-release-'))
const source = join(root, 'source')
try {
  await makeTree()
  await measure()
} finally {
  await removeTree(root)
}

interface Step {
  name: string
  ms: number[]
}

async function measure(): Promise<void> {
  const store = await DirectoryStore.open(join(root, 'store'))
  const policy = () => ({ keep: new Set<string>(), lastPerService: 5, published: [] })
  const depot = new ReleaseDepot({ store, clock: systemClock, capBytes: null, policy })
  const server = createServer((incoming, answer) => void serve(depot, incoming).then((body) => body.pipe(answer)))
  server.keepAliveTimeout = 0 // a step without requests takes longer than the default of 5 s
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // a listening TCP server has a port
  const remote = new HttpDepot(port)
  const caches = [await openMachine('a'), await openMachine('b')]

  console.log(
    `${files} files, ${totalBytes / 1e6} MB; ${availableParallelism()} CPUs, Node ${process.version}; over HTTP on loopback`,
  )
  const steps = new Map<string, Step>()
  const timed = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    const start = performance.now()
    const result = await work()
    const step = steps.get(name) ?? { name, ms: [] }
    steps.set(name, step)
    step.ms.push(performance.now() - start)
    return result
  }

  const describe = () => describeFolder(source, { definition, cacheFolder: join(root, 'hashes') })
  const first = await timed('first push: walk and hash', describe)
  const firstSent = await timed('first push: upload', () => publish(first, remote))
  await timed('first push: fetch to 2 machines', () =>
    Promise.all(caches.map((cache) => cache.fetch(first.id, remote))),
  )
  await timed('first push: make both folders', () => Promise.all(caches.map((cache) => cache.materialise(first.id))))
  report(steps)
  console.log(`  uploaded ${mb(firstSent.sentBytes)} in ${firstSent.sentObjects} objects; ` + diskUse())
  steps.clear()

  const bytesToMachine: number[] = []
  const uploaded: number[] = []
  for (let run = 0; run < runs; run++) {
    await writeFile(join(source, 'assets/changed.bin'), randomBytes(1_000_000))
    const next = await timed('push: walk and hash', describe)
    steps.set('  of which hashing', {
      name: '  of which hashing',
      ms: [...(steps.get('  of which hashing')?.ms ?? []), next.timing.hashMs],
    })
    uploaded.push((await timed('push: upload', () => publish(next, remote))).sentBytes)
    const fetched = await timed('push: fetch to 2 machines', () =>
      Promise.all(caches.map((cache) => cache.fetch(next.id, remote))),
    )
    for (const { fetchedBytes } of fetched) bytesToMachine.push(fetchedBytes)
    await timed('make both folders', () => Promise.all(caches.map((cache) => cache.materialise(next.id))))
    await timed('verify both before a start', () => Promise.all(caches.map((cache) => cache.open(next.id))))
    await timed('(full hash of the tree, no cache)', () => describeFolder(source, { definition }))
  }
  console.log(`\none 1 MB file changed, median of ${runs} runs`)
  report(steps)
  const pushToFetched = median(
    Array.from({ length: runs }, (_, run) =>
      ['push: walk and hash', 'push: upload', 'push: fetch to 2 machines'].reduce(
        (sum, name) => sum + (steps.get(name)?.ms[run] ?? 0),
        0,
      ),
    ),
  )
  line('push to fetched', `${seconds(pushToFetched)}   goal ${seconds(goals.pushToFetchedMs)}`)
  line('uploaded', mb(median(uploaded)))
  line('sent to each machine', `${mb(Math.max(...bytesToMachine))}   goal ${mb(goals.bytesPerMachine)} (the largest)`)
  compareWithTar()
  server.close()
  server.closeAllConnections()
  if (pushToFetched > goals.pushToFetchedMs || Math.max(...bytesToMachine) > goals.bytesPerMachine) process.exitCode = 1
}

/** As on a server: the agent's objects, and folders that the privileged helper makes of them and trusts no file of. */
async function openMachine(name: string): Promise<ReleaseCache> {
  const store = join(root, name)
  const folders = await OwnFolders.open({ root: join(root, `${name}-helper`), store, objects: objectsIn(store) })
  return ReleaseCache.open(store, { foldersIn: () => folders })
}

/** A deployment by archive sends the whole tree to every machine each time. */
function compareWithTar(): void {
  const start = performance.now()
  const { stdout, status } = spawnSync('sh', ['-c', `tar -C '${source}' -cf - . | zstd -3 -q | wc -c`])
  if (status !== 0) return line('tar | zstd of the whole', 'zstd is not installed here')
  line(
    'tar | zstd of the whole',
    `${mb(Number(stdout))} to each machine, ${seconds(performance.now() - start)} to make`,
  )
}

/**
 * A mix as in a real service: many small sources, fewer modules of some 20 kB, some assets and a few large binaries.
 */
async function makeTree(): Promise<void> {
  const large = [60_000_000, 20_000_000, 12_000_000, 8_000_000]
  for (const folder of ['assets', 'bin']) await mkdir(join(source, folder), { recursive: true })
  for (const [index, bytes] of large.entries()) await writeFile(join(source, 'bin', `tool-${index}`), program(bytes))
  await writeFile(join(source, 'assets/changed.bin'), randomBytes(1_000_000))
  const small = files - large.length - 1
  const each = (totalBytes - 1_000_000 - large.reduce((sum, bytes) => sum + bytes, 0)) / small
  for (let index = 0; index < small; index++) {
    const folder = join(source, `node_modules/package-${Math.floor(index / 100)}/lib-${Math.floor(index / 25) % 4}`)
    if (index % 25 === 0) await mkdir(folder, { recursive: true })
    await writeFile(
      join(folder, `file-${index}.js`),
      text(index, Math.round(each * (0.2 + 1.6 * ((index % 100) / 99)))),
    )
  }
  const before = new Date(Date.now() - 60_000)
  await utimes(join(source, 'bin/tool-0'), before, before)
}

function text(seed: number, bytes: number): string {
  const words: string[] = []
  for (let length = 0, state = seed + 1; length < bytes;) {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    const word = `const v${state % 9973} = require("m${state % 131}")(${state.toString(36)})\n`
    words.push(word)
    length += word.length
  }
  return words.join('').slice(0, bytes)
}

/** Half random, half text: compresses about as well as a binary. */
function program(bytes: number): Buffer {
  const block = Buffer.concat([randomBytes(32_768), Buffer.from(text(bytes, 32_768))])
  return Buffer.concat(
    Array.from({ length: Math.ceil(bytes / block.length) }, (_, index) => {
      const next = Buffer.from(block)
      randomBytes(16_384).copy(next, (index % 2) * 16_384)
      return next
    }),
  ).subarray(0, bytes)
}

function diskUse(): string {
  const size = (folder: string) =>
    Number(
      execFileSync('sh', ['-c', 'exec du -s -B1 "$1"', 'sh', join(root, folder)])
        .toString()
        .split('\t')[0],
    )
  return `on disk: tree ${mb(size('source'))}, store ${mb(size('store'))}, machine a: objects ${mb(size('a'))}, folder of root ${mb(size('a-helper'))}`
}

function report(steps: Map<string, Step>): void {
  for (const { name, ms } of steps.values()) line(name, seconds(median(ms)))
}

function line(name: string, value: string): void {
  console.log(`  ${name.padEnd(36)} ${value}`)
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN
}

function mb(bytes: number): string {
  return `${(bytes / 1e6).toFixed(2)} MB`
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(3)} s`
}
