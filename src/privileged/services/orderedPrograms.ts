import { existsSync } from 'node:fs'
import { prepareInstance } from '../../definitions/names.ts'
import { instanceEnvironment } from '../../drivers/supervisor/instanceEnvironment.ts'
import { programSpec, type PlannedProgram, type ProgramUse } from '../../drivers/supervisor/programSpec.ts'
import { inTerminal } from '../../drivers/supervisor/shellArgv.ts'
import type { InstanceSpec, OrderedProgram } from '../../drivers/supervisor/supervisor.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import type { CommandOrder, DescribedProgram } from '../../protocol/serviceOrders.ts'
import { refused, type AcceptedOrders } from './acceptedOrders.ts'

interface Parts {
  orders: Pick<AcceptedOrders, 'service' | 'command' | 'runs'>
  machine: () => string
  /** Of an instance whose unit is here; `null`: it has none. */
  portOf: (service: string, instance: string) => number | null
  /** Where the folder of a release is, whether it exists or not. */
  releaseFolder: (release: string) => string
  /** The folder of the data of a service. */
  dataFolder: (service: string) => string
  /** PATH, HOME, LANG and TZ for programs. */
  env: NodeJS.ProcessEnv
  /** A feature adds itself. */
  extras: readonly ProgramExtra[]
}

/** The share of a feature in each program, by what it added to the order. */
export type ProgramExtra = (
  program: DescribedProgram,
  generation: string | null,
) => { settings?: Record<string, string>; planned?: Partial<PlannedProgram> }

/** A program that the agent asks for: only the port of an instance is of its own choice. */
export interface AskedProgram extends OrderedProgram {
  /** Of its unit. */
  id: string
  service: string
  attached: boolean
}

interface OrderedCommand {
  id: string
  service: string
  generation: string
  program: DescribedProgram
}

interface Found {
  use: ProgramUse
  /** Of the instance; of a program beside one, that of its instance. */
  id: string
  generation: string | null
  program: DescribedProgram
  /** The order of a person, which counts once. */
  command?: CommandOrder
}

/** Makes programs from what the controller has signed: command line, environment, jail, limits and release. */
export class OrderedPrograms {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  spec(asked: AskedProgram): InstanceSpec {
    const found = this.#find(asked)
    const { listen } = found.program.definition
    const isBeside = found.use.as === 'beside' || found.use.as === 'health'
    // A command that shows a password to its instance must not be led elsewhere.
    const port = isBeside ? this.#parts.portOf(asked.service, found.id) : portFor(listen, asked)
    const spec = this.#made(asked.service, found, port)
    // The agent would write its standard input.
    if (asked.attached && (asked.use === 'instance' || asked.use === 'prepare'))
      throw refused(asked.service, 'nobody owns the input of this program')
    if (found.command) this.#parts.orders.runs(found.command)
    return asked.attached ? { ...spec, attached: true } : spec
  }

  /** A command of a generation, such as a check: it gets everything that an instance gets, but a port. */
  command({ id, service, generation, program }: OrderedCommand, argv: string[]): InstanceSpec {
    return this.#made(service, { use: { as: 'command', argv }, id, generation, program }, null)
  }

  #made(service: string, { use, id, generation, program }: Found, port: number | null): InstanceSpec {
    const { release, definition, variables, callsServices, hasSecrets } = program
    const { machine, releaseFolder, dataFolder, env, extras } = this.#parts
    if (definition.service !== service) throw refused(service, `its definition is that of ${definition.service}`)
    const cwd = releaseFolder(release)
    if (!existsSync(cwd)) throw notHere(service, release)
    const added = extras.map((extra) => extra(program, generation))
    const about = {
      ...{ definition, release, instance: id, machine: machine(), port, secretsFolder: null },
      ...{ dataFolder: dataFolder(service), isDataMadeLater: true, added: variables },
      settings: Object.assign({}, program.settings, ...added.map(({ settings }) => settings)) as Record<string, string>, // their sum
    }
    const planned = { id, release, definition, words: instanceEnvironment(about, env), cwd, callsServices }
    const secrets = hasSecrets && generation !== null ? { secrets: { generation } } : {}
    const whole = Object.assign(planned, secrets, ...added.map((one) => one.planned)) as PlannedProgram // with each share
    return { ...programSpec(whole, use), isSigned: true }
  }

  #find(asked: AskedProgram): Found {
    const { orders } = this.#parts
    const { id, service, use, order } = asked
    if (use === 'command' || use === 'beside')
      return commandIn(orders.command({ id, service, order, isBeside: use === 'beside' }))
    const { instances, generations, prepare } = orders.service(service, order)
    const found = (instance: string, generation: string | undefined, as: ProgramUse): Found => {
      const program = generation === undefined ? undefined : generations[generation]
      if (generation === undefined || !program) throw refused(service, `the order names no instance ${instance}`)
      return { id: instance, generation, program, use: as }
    }
    if (use === 'instance') return found(id, instances[id], { as: 'instance' })
    if (use === 'prepare') {
      const generation = prepare.find((one) => prepareInstance(service, one) === id)
      return found(id, generation, { as: 'prepare' })
    }
    const instance = id.replace(/\.[^.]*$/, '')
    if (instance === id) throw refused(service, `${id} is not the id of a health command`)
    return found(instance, instances[instance], { as: 'health', id })
  }
}

function commandIn(command: CommandOrder): Found {
  const { id, service, instance, argv, terminal, generation, program } = command
  const words = terminal === null ? argv : inTerminal(argv, terminal)
  if (words === null) throw refused(service, 'a shell needs a terminal')
  if (instance === null) return { use: { as: 'command', argv: words }, id, generation, program, command }
  return { use: { as: 'beside', id, argv: words }, id: instance, generation, program, command }
}

/** Instances get their ports from this range: 1000 for each of twelve machines on one computer. */
const [firstPort, lastPort] = [20_000, 31_999]

/** A program of a service that listens needs a port, and no other one gets one. */
function portFor(listen: string, { port, service }: AskedProgram): number | null {
  if (listen !== 'none' && port === null) throw refused(service, 'its port is missing')
  if (listen === 'none' && port !== null) throw refused(service, 'a service that does not listen gets no port')
  if (port !== null && (port < firstPort || port > lastPort))
    throw refused(service, `port ${port} is not between ${firstPort} and ${lastPort}`)
  return port
}

const notHere = (service: string, release: string): OperatorError =>
  new OperatorError('E_RELEASE_GONE', `release ${release.slice(0, 12)} of ${service} is not on this machine`, {
    subject: service,
    next: 'the agent fetches it again; repeat a command of yours after that',
  })
