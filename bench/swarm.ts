import { copyFileSync, cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { baseImage } from '../test/lab/baseImage.ts'
import { exec, execOrThrow } from '../src/lib/exec.ts'
import { labFolder } from '../test/lab/lab.ts'
import { Load } from '../test/system/load.ts'
import { median } from './median.ts'

/*
 * The same service as two replicas of Docker Swarm, on the engine that `docker` reaches (`DOCKER_HOST`), updated under
 * the same load: start first, no delay, no monitor time, a health check every 200 ms. The replicas share one machine,
 * which has the images already, so Swarm has less work than a pair.
 */

const root = join(import.meta.dirname, '..')
const name = 'tandem-bench'
const port = 18_000
const updateMs = 120_000
const lookMs = 20

/** Prints only one line if there is no engine. */
export async function compareSwarm(rounds: number, perSecond: number): Promise<void> {
  const why = await whyNoSwarm()
  if (why) return console.log(`\nDocker Swarm was not compared: ${why}`)
  await using opened = new AsyncDisposableStack()
  opened.defer(() => docker('image', 'rm', '--force', name))
  await makeImage()
  await docker('swarm', 'init', '--advertise-addr', '127.0.0.1')
  opened.defer(() => docker('swarm', 'leave', '--force'))
  await docker(
    ...['service', 'create', '--quiet', '--name', name, '--replicas', '2', '--publish', `${port}:8000`],
    ...['--env', 'HOST=0.0.0.0', '--env', 'PORT=8000', '--env', 'VERSION=0', '--no-resolve-image'],
    ...['--health-cmd', 'curl -fs http://127.0.0.1:8000/', '--health-interval', '200ms'],
    ...['--update-order', 'start-first', '--update-delay', '0s', '--update-monitor', '1ms', name],
  )
  const entry = `http://127.0.0.1:${port}`
  // Swarm's published ports need IPVS in the kernel; without a first answer, later failures would prove nothing.
  const load = (await answers(entry)) ? new Load({ entries: [entry], perSecond, shortOnly: true }) : null
  load?.start()
  const took: number[] = []
  for (let round = 1; round <= rounds; round++) took.push(await update(round))
  const result = await load?.stop()
  const meanwhile = result
    ? `requests meanwhile: ${result.requests}, failed: ${result.failures.length}`
    : 'under no load: its published port does not answer here (no IPVS in this kernel?), so failures are not compared'
  console.log(`\nDocker Swarm, two replicas: ${rounds} rollouts, ${meanwhile}`)
  const ms = median(took)
  console.log(
    `from the update request until both are done, including boot: ${ms.toFixed(0)} ms, ${(ms / 2).toFixed(0)} a replica`,
  )
}

async function answers(url: string): Promise<boolean> {
  const ask = ['curl', '-fs', '--max-time', '2', '--retry', '10', '--retry-delay', '1', '--retry-all-errors', url]
  return (await exec(ask)).code === 0
}

async function whyNoSwarm(): Promise<string | null> {
  try {
    const { code, out, err } = await exec(['docker', 'info', '--format', '{{.Swarm.LocalNodeState}}'])
    if (code !== 0) return `docker info reports: ${(err || out).trim().split('\n').at(-1)}`
    return out.trim() === 'inactive' ? null : `this engine is part of a swarm (${out.trim()}), which is not ours to use`
  } catch {
    return 'there is no docker program'
  }
}

/** The lab's own system, Node and test/services/web.mjs. */
async function makeImage(): Promise<void> {
  const base = await baseImage(labFolder)
  const folder = mkdtempSync(join(tmpdir(), 'tandem-swarm-'))
  try {
    mkdirSync(join(folder, 'app/node_modules'), { recursive: true })
    copyFileSync(realpathSync(process.execPath), join(folder, 'app/node'))
    copyFileSync(join(root, 'test/services/web.mjs'), join(folder, 'app/web.mjs'))
    cpSync(join(root, 'node_modules/ws'), join(folder, 'app/node_modules/ws'), { recursive: true })
    const started = `CMD ["/app/node", "/app/web.mjs"]`
    const both = 'set -o pipefail; tar -c -C "$0" --exclude=./proc --exclude=./sys --exclude=./dev . -C "$1" app'
    const make = `${both} | docker import -c '${started}' - ${name}`
    await execOrThrow(['bash', '-c', make, base, folder], { timeoutMs: updateMs })
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Milliseconds until Swarm reports that the update is done. Polls, because Swarm's own wait adds 5 s. */
async function update(version: number): Promise<number> {
  const startedAt = performance.now()
  await docker(
    'service',
    'update',
    '--quiet',
    '--detach',
    '--no-resolve-image',
    '--env-add',
    `VERSION=${version}`,
    name,
  )
  while (performance.now() - startedAt < updateMs) {
    const { out } = await exec(['docker', 'service', 'inspect', '--format', '{{.UpdateStatus.State}}', name])
    if (out.trim() === 'completed') return performance.now() - startedAt
    await pause(lookMs)
  }
  throw new Error(`Swarm did not end its update within ${updateMs} ms`)
}

async function docker(...args: string[]): Promise<void> {
  await execOrThrow(['docker', ...args], { timeoutMs: updateMs })
}
