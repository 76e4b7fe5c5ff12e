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

  /**
   * `null` admits any machine of this cluster. Cuts connections of a machine that is no longer admitted, in old workers
   * too. The changes follow from the running state: an agent that wrote the file may have been killed before it
   * informed HAProxy.
   */
  async admit(machines: string[] | null): Promise<void> {
    this.#folder.writeMachines(machines)
    const path = this.#folder.files.machines
    const { pid } = await this.#running.look()
    const before = entriesIn(await this.#running.ask(pid, `show acl ${path}`))
    const after = machinesText(machines).split('\n').filter(Boolean)
    const added = after.filter((entry) => !before.includes(entry)).map((entry) => `add acl ${path} ${entry}`)
    const removed = before.filter((entry) => !after.includes(entry)).map((entry) => `del acl ${path} ${entry}`)
    await this.#running.tell(pid, [...added, ...removed])
    if (machines === null) return
    const { answers } = await this.#running.askAll('show table forwarded_by')
    const sources = sourcesOfOthers(answers.map(([, table]) => table).join('\n'), machines)
    if (sources.size === 0) return
    await this.#running.cutSessions((line) => sources.has(/ src=(\S+)/.exec(line)?.[1] ?? ''))
  }
}

/** Reads `show acl`: an id and an entry on each line. */
const entriesIn = (text: string): string[] => [...text.matchAll(/^0x\S+ (.*)$/gm)].map(([, entry = '']) => entry)

/** Client addresses of connections in `forwarded_by` that belong to none of these machines. */
function sourcesOfOthers(table: string, machines: string[]): Set<string> {
  const sources = new Set<string>()
  for (const [, machine = '', source = ''] of table.matchAll(/ key=([^@\s]*)@(\S+) use=[1-9]/g)) {
    if (!machines.includes(machine)) sources.add(source)
  }
  return sources
}
