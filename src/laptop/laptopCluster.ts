import type { selfCommand } from '../lib/selfCommand.ts'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { ApiClient } from '../api/client.ts'
import { sha256 } from '../lib/hash.ts'
import { listenAt } from '../lib/loopbackPair.ts'
import { claimPort } from './freePorts.ts'
import { LaptopChild } from './laptopChild.ts'
import { admitFile, agentTokenFile, keepTokens } from './laptopTokens.ts'
import { waitUntilServing } from './waitUntilServing.ts'

const host = '127.0.0.1'
/** Number of instance ports of each machine. All are below the ephemeral port ranges of the operating systems. */
const portsPerMachine = 1_000
const firstPorts = { from: 20_000, to: 32_000, step: 100 }
/** Distance between the tcp ports of two machines, as documented. */
const tcpStep = 1_000

export interface LaptopOptions {
  data: string
  machines: string[]
  /** 0: any free port. */
  port: number
  /** Port of the first machine; the other machines take the next ports. 0: any free ports. */
  entryPort: number
  /** Command that runs this program again, for its parts. */
  self: ReturnType<typeof selfCommand>
  env: NodeJS.ProcessEnv
  onNews: (text: string) => void
  signal: AbortSignal
}

/** A cluster whose parts are child processes of this one. */
export interface Laptop {
  endpoint: { url: string; token: string }
  client: ApiClient
  /** Address of each machine for requests. */
  entries: Record<string, string>
  /** Services that did not become ready in time. */
  notServing: string[]
  /** Stops everything in order: first the machines with their services, then the controller. */
  stop: () => Promise<void>
  /** Kills everything at once. */
  kill: () => void
}

/** Starts a controller and its machines. Resolves when all accept work; on failure, stops those already started. */
export async function startLaptop(options: LaptopOptions): Promise<Laptop> {
  const { data, machines, signal } = options
  const children: LaptopChild[] = []
  const stop = async (): Promise<void> => {
    const [controller, ...agents] = children
    await Promise.all(agents.map((agent) => agent.stop()))
    await controller?.stop()
  }
  const kill = (): void => {
    for (const child of children) child.kill()
  }
  const aborted = Promise.withResolvers<never>()
  aborted.promise.catch(() => {}) // raced below
  const abort = (): void => aborted.reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  try {
    const ports = await claimPorts(options)
    const tokens = keepTokens(data, machines)
    mkdirSync(join(data, 'env'), { recursive: true, mode: 0o700 })
    const endpoint = { url: `http://${host}:${ports.controller}`, token: tokens.operator }
    children.push(controllerChild(options, ports.controller))
    await Promise.race([children[0]?.ready, aborted.promise])
    children.push(
      ...machines.map((name, index) => agentChild(options, name, index, endpoint.url, ports.entries[index] ?? 0)),
    )
    await Promise.race([Promise.all(children.map((child) => child.ready)), aborted.promise])
    const client = new ApiClient(endpoint)
    const notServing = await Promise.race([waitUntilServing(client, machines, signal), aborted.promise])
    const entries = Object.fromEntries(machines.map((name, index) => [name, `http://${host}:${ports.entries[index]}`]))
    return { endpoint, client, entries, notServing, stop, kill }
  } catch (error) {
    await stop()
    throw error
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

async function claimPorts({
  port,
  entryPort,
  machines,
}: LaptopOptions): Promise<{ controller: number; entries: number[] }> {
  const controller = await claimPort(port, host, '--port')
  // A browser may take the other address for tandem.localhost, so the controller holds the port there too.
  const other = await listenAt('::1', controller, () => {})
  other?.close()
  const entries: number[] = []
  for (const index of machines.keys()) {
    entries.push(await claimPort(entryPort === 0 ? 0 : entryPort + index, host, '--entry-port'))
  }
  return { controller, entries }
}

function controllerChild(options: LaptopOptions, port: number): LaptopChild {
  const { data } = options
  const folder = join(data, 'controller')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const args = ['--cluster', 'local', '--laptop', '--data', folder, '--host', host, '--port', String(port)]
  return child(options, 'controller', join(data, 'controller.log'), [
    ...['controller', 'run', '--json', ...args, '--admit-file', admitFile(data)],
  ])
}

function agentChild(
  options: LaptopOptions,
  name: string,
  index: number,
  controllerUrl: string,
  entryPort: number,
): LaptopChild {
  const { data } = options
  const first = firstInstancePort(options) + index * portsPerMachine
  return child(options, `machine ${name}`, join(data, name, 'agent.log'), [
    ...['agent', 'run', '--json', '--machine', name, '--controller', controllerUrl],
    ...['--token-file', agentTokenFile(data, name), '--data', join(data, name), '--host', host],
    ...['--http-port', String(entryPort), '--ports', `${first}-${first + portsPerMachine - 1}`],
    ...['--tcp-offset', String(index * tcpStep), '--secrets', join(data, 'env')],
  ])
}

/** Two clusters on one laptop may pick ports at the same time, so each data folder starts at another port. */
function firstInstancePort({ data, machines }: LaptopOptions): number {
  const { from, to, step } = firstPorts
  const places = Math.floor((to - from - machines.length * portsPerMachine) / step) + 1
  return from + (Number.parseInt(sha256(data).slice(0, 8), 16) % places) * step
}

function child({ self, env, onNews }: LaptopOptions, name: string, logFile: string, args: string[]): LaptopChild {
  return new LaptopChild({
    name,
    command: self.command,
    args: [...self.args, ...args],
    env: { ...env, ...self.env },
    logFile,
    onNews,
  })
}
