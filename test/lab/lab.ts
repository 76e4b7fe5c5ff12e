import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { baseImage } from './baseImage.ts'
import { exec, execOrThrow, type ExecOptions, type Outcome } from '../../src/lib/exec.ts'
import { exclusive } from './exclusive.ts'
import { LabMachine, type Bind } from './labMachine.ts'
import { labsFolder, lockFile, machineName, machinesFolder, removeAbandonedLabs, removeLab } from './leftovers.ts'
import { openNetwork, type LabNetwork } from './network.ts'
import { installProgram } from './program.ts'
import { installRequirements } from './requirements.ts'

export const labFolder = process.env['TANDEM_LAB_FOLDER'] ?? '/var/tmp/tandem-lab'

interface Options {
  machines: string[]
  /** Folders of this computer that every machine sees too. */
  binds?: Bind[]
  /** Default: every machine has Tandem, as a bundle of this checkout. */
  bare?: boolean
}

/** The source of requests: this computer's files and programs, on the lab's network. */
export interface LabClient {
  address: string
  /** The command on this computer that runs `argv` on the lab's network. */
  entering(argv: string[]): string[]
  run(argv: string[], options?: ExecOptions): Promise<Outcome>
  must(argv: string[], options?: ExecOptions): Promise<string>
}

export interface Lab {
  /** Unique name of this run. */
  run: string
  folder: string
  network: LabNetwork
  client: LabClient
  machines: LabMachine[]
  /** Throws for an unknown name. */
  machine(name: string): LabMachine
  /** Powers all machines off without a shutdown, and removes everything. */
  close(): Promise<void>
}

export const clientName = 'client'
const clientHost = 100
const firstHost = 11
const mostMachines = 50

/**
 * Boots machines on their own network, with a client on it. First removes leftovers of killed runs. `machines` may
 * include a controller's machine like any other.
 */
export async function openLab({ machines: names, binds = [], bare = false }: Options): Promise<Lab> {
  if (names.length > mostMachines) throw new Error(`a lab has at most ${mostMachines} machines`)
  installRequirements()
  await removeAbandonedLabs(labFolder)
  const image = await baseImage(labFolder)
  const run = randomBytes(3).toString('hex')
  const folder = join(labsFolder(labFolder), run)
  await using opened = new AsyncDisposableStack()
  mkdirSync(folder, { recursive: true })
  const lock = await exclusive(lockFile(folder), 0)
  if (!lock) throw new Error(`another run holds ${folder}`)
  opened.defer(() => lock.release())
  opened.defer(() => removeLab(folder))
  const program = bare ? [] : await installProgram(join(folder, 'program'))

  const places: [string, number][] = names.map((name, index) => [name, firstHost + index])
  const network = await openNetwork(run, new Map([...places, [clientName, clientHost]]))
  await network.join(clientName)
  const hosts = ['127.0.0.1 localhost', ...[...network.addresses()].map(([name, address]) => `${address} ${name}`), '']
  const machines = names.map((name) => {
    const about = { name, fullName: machineName(run, name), folder: join(machinesFolder(folder), name), image }
    const all = [...program, ...binds]
    return new LabMachine({ ...about, network, binds: all })
  })
  await Promise.all(
    machines.map(async (machine) => {
      await machine.prepare(hosts.join('\n'))
      await machine.boot()
    }),
  )
  opened.defer(async () => {
    await Promise.all(machines.map((machine) => machine.kill()))
  })
  const running = opened.move()
  return {
    ...{ run, folder, network, machines },
    client: openClient(network),
    machine: (name) => {
      const machine = machines.find((one) => one.name === name)
      if (!machine) throw new Error(`this lab has no machine ${name}`)
      return machine
    },
    close: () => running.disposeAsync(),
  }
}

function openClient(network: LabNetwork): LabClient {
  const entering = (argv: string[]): string[] => [
    ...['nsenter', `--net=/run/netns/${network.namespaceOf(clientName)}`, '--', ...argv],
  ]
  return {
    address: network.addressOf(clientName),
    entering,
    run: (argv, options) => exec(entering(argv), options),
    must: (argv, options) => execOrThrow(entering(argv), options),
  }
}
