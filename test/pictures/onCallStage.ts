import { spawn, type ChildProcess } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { execOrThrow } from '../../src/lib/exec.ts'
import type { LabMachine } from '../lab/labMachine.ts'
import { machinesFolder } from '../lab/leftovers.ts'
import { Pair } from '../lab/pair.ts'
import { virtualAddress, withAddress } from '../lab/sharedPair.ts'
import type { Command } from '../system/commandLine.ts'
import { Engineer } from './engineer.ts'
import { filesOf, shop } from './shopServices.ts'

/** So small that a forgotten file fills it. */
const varMegabytes = 400

/**
 * The lab's pair as its users have it: a small shop behind a virtual address, under light load, with a page that
 * somebody on call opens. Machine b keeps `/var/lib` on a file system of its own.
 */
export class OnCallStage {
  readonly pair: Pair
  readonly engineer: Engineer
  readonly #visitors: ChildProcess
  readonly #carrier: Command

  static async open(): Promise<OnCallStage> {
    const pair = await Pair.open(withAddress)
    try {
      await ownVar(pair, 'b')
      const engineer = await Engineer.invited(pair)
      await openShop(engineer)
      return new OnCallStage(pair, engineer, await engineer.carryPage())
    } catch (error) {
      await pair.close()
      throw error
    }
  }

  private constructor(pair: Pair, engineer: Engineer, carrier: Command) {
    this.pair = pair
    this.engineer = engineer
    this.#carrier = carrier
    const hosts = [virtualAddress, ...['a', 'b'].map((name) => pair.lab.machine(name).address)]
    const paths = ['orders', 'payments', 'uploads', 'auth', 'search', '']
    const urls = hosts.flatMap((host) => paths.map((path) => `http://${host}/${path}`))
    const argv = [process.execPath, join(import.meta.dirname, 'visitors.ts'), ...urls]
    const [file = '', ...args] = engineer.entering(argv)
    this.#visitors = spawn(file, args, { stdio: 'ignore' })
  }

  machine(name: string): LabMachine {
    return this.pair.lab.machine(name)
  }

  /** The machine that holds the virtual address; `null`: none does at this moment. */
  async holder(): Promise<string | null> {
    const { addresses } = await this.pair.status()
    return addresses[0]?.holder ?? null
  }

  async close(): Promise<void> {
    this.#visitors.kill('SIGKILL')
    this.#carrier.kill('SIGKILL')
    await this.pair.close()
  }
}

/** Gives the machine a small file system of its own for `/var/lib`, between two boots. */
async function ownVar(pair: Pair, name: string): Promise<void> {
  const machine = pair.lab.machine(name)
  await machine.powerOff()
  const folder = join(machinesFolder(pair.lab.folder), name)
  const [image, at] = [join(folder, 'var.img'), join(folder, 'root/var/lib')]
  await execOrThrow(['mkfs.ext4', '-q', '-m', '0', '-d', at, image, `${varMegabytes}M`])
  rmSync(at, { recursive: true })
  await execOrThrow(['mkdir', at])
  await execOrThrow(['mount', '-o', 'loop', image, at])
  await machine.boot()
  await pair.until('ready')
}

async function openShop(engineer: Engineer): Promise<void> {
  for (const [index, [service, sources]] of Object.entries(shop).entries()) {
    const by = index % 3 === 1 ? 'tom' : 'lena'
    await engineer.push(by, service, filesOf(sources), `Begin with ${service}`)
  }
}
