import { addCommands, newWorker, type ConfiguredServer } from './configuredServer.ts'

/** A server in the state of the running worker. */
export interface RunningServer {
  backend: string
  name: string
  host: string
  port: number
  /** The server takes new work by configuration or command; this does not show whether it answers. */
  active: boolean
  inMaintenance: boolean
}

/** Maintenance set by the configuration. `set server … state ready` lifts it; after that the bit has no meaning. */
const byConfiguration = 0x04
const maintenance = 0x01

/** Reads `show servers state`, without the servers that do not belong to services. */
export function runningServersIn(text: string): RunningServer[] {
  const found: RunningServer[] = []
  for (const line of text.split('\n')) {
    const fields = line.split(' ')
    const [, backend = '', , name = '', host = '', , admin = ''] = fields
    if (!/^(svc|fwd)_/.test(backend) || name === newWorker || name === '') continue
    const state = Number(admin) & ~byConfiguration
    const inMaintenance = (state & maintenance) !== 0
    found.push({ backend, name, host, port: Number(fields[18]), active: state === 0, inMaintenance })
  }
  return found
}

export interface ServerChanges {
  /** Servers that are added: these changes come first, so that there is always a server to use. */
  enter: string[]
  leave: string[]
}

/**
 * Run-time commands that change the running servers into the wanted ones. Unwanted servers drain, and are removed
 * later.
 */
export function serverChanges(running: RunningServer[], wanted: ConfiguredServer[]): ServerChanges {
  const known = new Map(running.map((server) => [nameOf(server), server]))
  const changes: ServerChanges = { enter: [], leave: [] }
  for (const server of wanted) {
    const is = known.get(nameOf(server))
    known.delete(nameOf(server))
    if (!is) changes.enter.push(...addCommands(server))
    else if (is.host !== server.host || is.port !== server.port) {
      changes.enter.push(`set server ${nameOf(server)} addr ${server.host} port ${server.port}`)
    }
    if (server.active && is?.active !== true) changes.enter.push(`set server ${nameOf(server)} state ready`)
    if (!server.active && is?.active === true) changes.leave.push(takeOut(server))
  }
  for (const server of known.values()) if (server.active) changes.leave.push(takeOut(server))
  return changes
}

/** Differences between the running worker and the wanted servers, as text. */
export function differences(running: RunningServer[], wanted: ConfiguredServer[]): string[] {
  const { enter, leave } = serverChanges(running, wanted)
  return [...enter, ...leave]
}

export const nameOf = ({ backend, name }: { backend: string; name: string }): string => `${backend}/${name}`

/** An instance finishes its work; for a peer, idle connections are closed too. */
function takeOut(server: { backend: string; name: string }): string {
  return `set server ${nameOf(server)} state ${server.name.includes(':') ? 'maint' : 'drain'}`
}
