import { mkdirSync, mkdtempSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { pino, type Logger } from 'pino'
import type { Definition } from '../../definitions/definition.ts'
import { aDefinition as aDefaultDefinition } from '../../definitions/testing/aDefinition.ts'
import type { DesiredState } from '../../protocol/desiredState.ts'
import type { DesiredInstance } from '../../protocol/services.ts'
import { removeTree } from '../../releases/removeTree.ts'

/** Common input of the tests in this folder. */
export const release = 'a'.repeat(64)

/** A definition with shorter times than in production. */
export const aDefinition = (over: Partial<Definition> = {}): Definition =>
  aDefaultDefinition({
    health: { path: '/', everyMs: 10, timeoutMs: 60_000, withinMs: 60_000, settleMs: 20 },
    rollout: { strategy: 'overlap', drainMs: 1_000 },
    stop: { signal: 'SIGTERM', withinMs: 1_000 },
    ...over,
  })

export const anInstance = (over: Partial<DesiredInstance> = {}): DesiredInstance => ({
  ...{ id: 'shop-r1-a-1', service: 'shop', release, slot: 1, generation: 'r1', traffic: 'active' },
  ...over,
})

export const aDesiredState = (over: Partial<DesiredState> = {}): DesiredState => ({
  machine: 'a',
  fetch: [],
  keep: [],
  definitions: { [release]: aDefinition() },
  probeHosts: {},
  serviceOrders: {},
  instances: [],
  routes: [],
  localRoutes: [],
  links: {},
  names: [],
  firewall: null,
  declaredRoutes: {},
  publishedKeys: {},
  peers: [],
  prepare: [],
  removedData: [],
  maintenance: null,
  addresses: { yields: [], refused: [], othersServe: false },
  drained: false,
  settings: null,
  secrets: [],
  config: {},
  render: [],
  program: null,
  orders: { script: null, restart: null, settings: null, program: null },
  cluster: 'test',
  term: 1,
  terms: [{ term: 1, id: 'one', start: 1, recovered: false }],
  position: 10,
  ...over,
})

export { aReport } from '../../protocol/testing/aReport.ts'

export const quiet: Logger = pino({ level: 'silent' })

/** Makes a folder below the checkout's `tmp/`; `remove` deletes it. */
export function makeFolder(name: string): { path: string; remove: () => Promise<void> } {
  const parent = join(import.meta.dirname, '../../../tmp')
  mkdirSync(parent, { recursive: true })
  const path = mkdtempSync(join(parent, `${name}-`))
  return { path, remove: () => removeTree(path) }
}

/** Starts an HTTP service on its own port that answers `status`. */
export async function listen(status: () => number, port = 0): Promise<{ port: number; close: () => Promise<void> }> {
  const server: Server = createServer((_request, response) => response.writeHead(status()).end('here'))
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port, // it listens on TCP
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
