import { AddressWatch } from './addressWatch.ts'
import type { LabMachine } from './labMachine.ts'
import type { LabNetwork } from './network.ts'
import { isOfCluster, entryPort, Pair } from './pair.ts'
import { Probe } from './probe.ts'
import type { Status } from '../../src/api/views.ts'

const steadyMs = 60_000
const lookMs = 50
/** Both machines must be healthy for this long before a fault is applied. */
const quietLooks = 6

/** A pair with one virtual address, watched from outside, and the faults that a test can apply to it. */
export class FailoverLab {
  readonly pair: Pair
  readonly watch: AddressWatch
  readonly address: string

  static async open(address = '10.77.0.50'): Promise<FailoverLab> {
    const drivers = '{ supervisor: systemd, balancer: haproxy, address: keepalived }'
    const pair = await Pair.open({ drivers, more: `addresses: [${address}]\n` })
    const lab = new FailoverLab(pair, address)
    try {
      await pair.roll('web', 'service: web\nrun: [node, web.mjs]\nenv: { VERSION: "1" }\n')
      await lab.watch.watch('a')
      await lab.watch.watch('b')
      await lab.steady()
      return lab
    } catch (error) {
      await lab.close()
      throw error
    }
  }

  private constructor(pair: Pair, address: string) {
    this.pair = pair
    this.address = address
    this.watch = new AddressWatch(pair.lab, address)
  }

  async close(): Promise<void> {
    this.watch.close()
    await this.pair.close()
  }

  get holder(): LabMachine {
    const [name, ...more] = this.watch.holders
    if (name === undefined || more.length > 0)
      throw new Error(`held by ${this.watch.holders.join(' and ') || 'no machine'}`)
    return this.pair.lab.machine(name)
  }

  get backup(): LabMachine {
    return this.pair.lab.machine(this.holder.name === 'a' ? 'b' : 'a')
  }

  get network(): LabNetwork {
    return this.pair.lab.network
  }

  /** Makes this machine the holder, by the commands of an operator. */
  async hold(name: string): Promise<void> {
    if (this.holder.name === name) return
    const other = this.holder.name
    await this.pair.tandem('machine', 'drain', other)
    await this.pair.tandem('machine', 'ready', other)
    await this.steady()
  }

  probe(options: { keepAlive?: boolean; perSecond?: number; timeoutMs?: number } = {}): Probe {
    const { keepAlive = false, perSecond = 500, timeoutMs = 3_000 } = options
    return new Probe(this.pair.lab, { url: `http://${this.address}:${entryPort}/`, keepAlive, perSecond, timeoutMs })
  }

  async status(): Promise<Status> {
    return this.pair.status()
  }

  /**
   * Waits until one machine holds the address and answers, and the other one could: both report healthy, and so does
   * the controller.
   */
  async steady(): Promise<void> {
    const deadline = performance.now() + steadyMs
    for (let quiet = 0, why = ''; quiet < quietLooks;) {
      why = await this.#unsteady()
      quiet = why === '' ? quiet + 1 : 0
      if (performance.now() > deadline) throw new Error(`not steady within ${steadyMs} ms: ${why}`)
      await new Promise((resolve) => setTimeout(resolve, lookMs))
    }
  }

  async #unsteady(): Promise<string> {
    if (this.watch.holders.length !== 1) return `held by ${this.watch.holders.join(' and ') || 'no machine'}`
    for (const name of ['a', 'b']) {
      const machine = this.pair.lab.machine(name)
      const { out } = await machine.run([
        'sh',
        '-c',
        'cat /run/tandem-address/state.json; cat /run/tandem-address/*.track',
      ])
      if (!out.includes('"withheld":null') || !out.endsWith('\n0\n')) return `${name}: ${out}`
      const asked = await machine.run(['curl', '-s', '--max-time', '2', `http://127.0.0.1:${entryPort}/`])
      if (!asked.out.startsWith('hello')) return `${name} answers ${asked.out || 'nothing'}`
    }
    const { machines, addresses } = await this.status()
    const [known] = addresses
    if (known?.holder !== this.watch.holders[0]) return `the controller reports ${JSON.stringify(known)}`
    const unwell = machines.find(({ state, problems }) => state !== 'ready' || problems.some(isOfCluster))
    return unwell ? JSON.stringify(unwell) : ''
  }

  /** Drains the holder, by the command of an operator. */
  async drain(): Promise<void> {
    await this.pair.tandem('machine', 'drain', this.holder.name)
  }

  /** Sends a signal to every process of a unit. */
  async signal(machine: LabMachine, unit: string, signal: 'KILL' | 'STOP' | 'CONT'): Promise<void> {
    await machine.must(['systemctl', 'kill', '--kill-whom=all', `--signal=SIG${signal}`, unit])
  }

  /** Restores the pair: boots a machine without power, and kills frozen processes so that systemd restarts them. */
  async repair(): Promise<void> {
    await this.network.heal()
    for (const name of ['a', 'b']) {
      await this.#revive(name)
    }
    await this.steady()
  }

  async #revive(name: string): Promise<void> {
    const machine = this.pair.lab.machine(name)
    if (!machine.isUp) {
      await machine.boot()
      await this.watch.watch(name)
    }
    // A frozen process is only killed; systemd restarts it.
    const { out } = await machine.run(['sh', '-c', 'cat /proc/$(pidof -s haproxy)/stat'])
    if (out.includes(') T ')) await this.signal(machine, 'tandem-haproxy', 'KILL')
    const { machines } = await this.status()
    if (machines.some((one) => one.name === name && one.state.startsWith('drain'))) {
      await this.pair.tandem('machine', 'ready', name)
    }
  }
}
