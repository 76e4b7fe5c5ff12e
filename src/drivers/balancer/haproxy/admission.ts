import { machinesText, type HaproxyFolder } from './haproxyFolder.ts'
import type { RunningHaproxy } from './runningHaproxy.ts'

/** Machines that may forward work here, by the common name of their certificate; kept on disk. */
export class Admission {
  readonly #folder: HaproxyFolder
  readonly #running: RunningHaproxy

  constructor(folder: HaproxyFolder, running: RunningHaproxy) {
    this.#folder = folder
    this.#running = running
  }

  /** `null`: any of this cluster. Connections of a machine that may no longer are cut. */
  async admit(machines: string[] | null): Promise<void> {
    const before = this.#folder.machines()
    this.#folder.writeMachines(machines)
    const after = machinesText(machines).split('\n').filter(Boolean)
    const path = this.#folder.files.machines
    const added = after.filter((entry) => !before.includes(entry)).map((entry) => `add acl ${path} ${entry}`)
    const removed = before.filter((entry) => !after.includes(entry)).map((entry) => `del acl ${path} ${entry}`)
    const { pid } = await this.#running.look()
    await this.#running.tell(pid, [...added, ...removed])
    if (machines === null || removed.length === 0) return
    const holders = await this.#running.ask(pid, 'show table forwarded_by')
    const sources = sourcesOfOthers(holders, machines)
    await this.#running.cutSessions((line) => sources.has(/ src=(\S+)/.exec(line)?.[1] ?? ''))
  }
}

/** Client addresses of connections in `forwarded_by` that are of none of these machines. */
function sourcesOfOthers(table: string, machines: string[]): Set<string> {
  const sources = new Set<string>()
  for (const [, machine = '', source = ''] of table.matchAll(/ key=([^@\s]*)@(\S+) use=[1-9]/g)) {
    if (!machines.includes(machine)) sources.add(source)
  }
  return sources
}
