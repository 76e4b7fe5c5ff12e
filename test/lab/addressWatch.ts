import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Lab } from './lab.ts'

interface Change {
  at: number
  machine: string
  holds: boolean
}

/**
 * Watches from outside, in each machine's network namespace, when the machine adds and removes an address. The kernel
 * itself reports that, so nothing on the machine can hide it. Times are ms since the epoch.
 */
export class AddressWatch {
  readonly changes: Change[] = []
  #lab: Lab
  #address: string
  #monitors = new Map<string, ChildProcess>()

  constructor(lab: Lab, address: string) {
    this.#lab = lab
    this.#address = address
  }

  /** Call it again after each boot of the machine, because its network namespace is new then. */
  async watch(machine: string): Promise<void> {
    this.#monitors.get(machine)?.kill()
    const inside = ['-n', this.#lab.network.namespaceOf(machine), '-o']
    const monitor = spawn('ip', [...inside, 'monitor', 'address'], { stdio: ['ignore', 'pipe', 'ignore'] })
    this.#monitors.set(machine, monitor)
    createInterface({ input: monitor.stdout }).on('line', (line) => {
      if (line.includes(` ${this.#address}/`)) this.#saw(machine, !line.startsWith('Deleted'))
    })
    this.#saw(machine, await holdsNow(this.#lab, machine, this.#address))
  }

  /** Records a power loss of the machine: it holds no address any more. */
  gone(machine: string): void {
    this.#monitors.get(machine)?.kill()
    this.#monitors.delete(machine)
    this.#saw(machine, false)
  }

  get holders(): string[] {
    const last = new Map(this.changes.map(({ machine, holds }) => [machine, holds]))
    return [...last].flatMap(([machine, holds]) => (holds ? [machine] : []))
  }

  /** When the machine last released the address since `from`; `null`: it has not. */
  letGo(machine: string, from: number): number | null {
    return this.changes.findLast((one) => one.machine === machine && !one.holds && one.at >= from)?.at ?? null
  }

  took(machine: string, from: number): number | null {
    return this.changes.find((one) => one.machine === machine && one.holds && one.at >= from)?.at ?? null
  }

  /** The longest time since `from` in which more than one machine held it, in ms. */
  longestBoth(from: number, now = Date.now()): number {
    const holding = new Set<string>()
    let [longest, since] = [0, 0]
    for (const { machine, holds, at } of [...this.changes, { machine: '', holds: false, at: now }]) {
      if (holding.size > 1 && at > from) longest = Math.max(longest, at - Math.max(since, from))
      if (holds) holding.add(machine)
      else holding.delete(machine)
      since = holding.size > 1 && since === 0 ? at : holding.size > 1 ? since : 0
    }
    return longest
  }

  close(): void {
    for (const monitor of this.#monitors.values()) monitor.kill()
  }

  #saw(machine: string, holds: boolean): void {
    const before = this.changes.findLast((one) => one.machine === machine)?.holds ?? false
    if (before !== holds) this.changes.push({ at: Date.now(), machine, holds })
  }
}

async function holdsNow(lab: Lab, machine: string, address: string): Promise<boolean> {
  const { out } = await lab.machine(machine).run(['ip', '-o', 'address', 'show'])
  return out.includes(` ${address}/`)
}
