import type { ConfiguredServer } from './configuredServer.ts'
import { haproxyConfig, shapeIn } from './haproxyConfig.ts'
import type { HaproxyFolder } from './haproxyFolder.ts'
import type { HaproxyProcess } from './haproxyProcess.ts'
import type { HaproxySettings } from './haproxySettings.ts'
import { heldBackends, holdChanges, holdsIn } from './holds.ts'
import type { LeftoverServers } from './leftoverServers.ts'
import type { RunningHaproxy, RunningWorker } from './runningHaproxy.ts'
import { differences, nameOf, serverChanges } from './runningServers.ts'
import type { ServedRoute } from './servedRoute.ts'

/** The parts of a HAProxy that routes are brought to. */
export interface BringParts {
  folder: HaproxyFolder
  running: RunningHaproxy
  leftover: LeftoverServers
  process: HaproxyProcess
}

interface Bring {
  routes: ServedRoute[]
  wanted: ConfiguredServer[]
  settings: HaproxySettings
  /** The worker as it runs now. */
  worker: RunningWorker
}

/** First writes the files, then changes HAProxy, then reads the result back. Rejects unless HAProxy carried out all. */
export async function bringRoutes(parts: BringParts, { routes, wanted, settings, worker }: Bring): Promise<void> {
  const { folder, running } = parts
  const text = haproxyConfig(routes, settings)
  const previous = folder.config()
  const holds = heldBackends(routes)
  folder.writeHolds(holds)
  folder.writeConfig(text)
  const shape = shapeIn(text) ?? ''
  let { pid, servers } = worker
  if (worker.shape !== shape) {
    pid = await reload(parts, { shape, shapeBefore: worker.shape, previous })
    servers = await running.servers(pid)
  }
  await running.retireOld()
  await change(parts, { pid, servers, wanted, holds })
}

/** Restores the file only if its previous content still runs: the new worker may exist although an exchange failed. */
async function reload(
  { folder, running, process }: BringParts,
  { shape, shapeBefore, previous }: { shape: string; shapeBefore: string | null; previous: string | null },
): Promise<number> {
  try {
    return await running.reload(shape)
  } catch (error) {
    const worker = await running.look().catch(() => null)
    if (worker?.shape === shape) return worker.pid
    if (worker?.shape === shapeBefore && previous !== null) folder.writeConfig(previous)
    const said = await process.lastWords()
    throw new Error(`HAProxy could not be reloaded; the running configuration stays in force: ${said}`, {
      cause: error,
    })
  }
}

interface Change {
  pid: number
  servers: RunningWorker['servers']
  wanted: ConfiguredServer[]
  holds: Map<string, number>
}

async function change(
  { folder, running, leftover }: BringParts,
  { pid, servers, wanted, holds }: Change,
): Promise<void> {
  const { enter, leave } = serverChanges(servers, wanted)
  const { files } = folder
  const held = holdChanges(holdsIn(await running.ask(pid, `show map ${files.holds}`)), holds, files.holds)
  const commands = [...held.begin, ...enter, ...leave, ...held.end]
  const said = commands.length === 0 ? '' : await running.tell(pid, commands)
  const after = await running.servers(pid)
  const wrong = differences(after, wanted)
  if (wrong.length > 0)
    throw new Error(`HAProxy did not carry out these commands: ${wrong.join('; ')}; its answer: ${said}`)
  leftover.set(after, new Set(wanted.map(nameOf)))
}
