import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { checkInstance } from '../../definitions/names.ts'
import { fillArgv, fillLimits } from '../../drivers/files/fillCommand.ts'
import type { CarriedContent, InstanceSpec } from '../../drivers/supervisor/supervisor.ts'
import { runOnce, type Ended } from '../../drivers/supervisor/systemd/runOnce.ts'
import type { UnitHost } from '../../drivers/supervisor/systemd/unitHost.ts'
import type { Credential } from '../../drivers/supervisor/systemd/unitText.ts'
import { shownFiles } from '../../layout/folders.ts'
import { programFolder } from '../../lib/programFolder.ts'
import { programFilesSchema, templatesOf, type ProgramFiles } from '../../protocol/files.ts'
import type { DescribedProgram } from '../../protocol/serviceOrders.ts'
import type { Systemctl } from '../../systemd/systemctl.ts'
import { checkLimits, checkProblem } from '../../templates/checks.ts'
import { renderAnswerSchema, type RenderAnswer, type RenderRequest } from '../../templates/request.ts'
import { refused, type AcceptedOrders } from '../services/acceptedOrders.ts'
import type { OrderedPrograms } from '../services/orderedPrograms.ts'
import type { KeptFiles } from './keptFiles.ts'

export interface FillParts {
  orders: Pick<AcceptedOrders, 'service' | 'knows'>
  programs: Pick<OrderedPrograms, 'command'>
  kept: KeptFiles
  /** The values of the secrets of a generation, by name. */
  valuesOf: (service: string, generation: string) => Promise<Record<string, Buffer>>
  releaseFolder: (release: string) => string
  /** Refuses a jail that this machine does not allow. */
  refuseJail: (service: string, jail: InstanceSpec['jail']) => Promise<void>
  /** The secrets and files of a program. */
  credentialsOf: (spec: InstanceSpec) => Credential[]
  detach: (spec: InstanceSpec) => void
  units: UnitHost
  systemctl: Pick<Systemctl, 'show'>
}

export interface AskedFiles {
  service: string
  generation: string
  order: CarriedContent
}

/** Everything that a generation orders. */
interface Ordered {
  program: DescribedProgram
  files: ProgramFiles
  /** All of the service that may run here. */
  generations: string[]
}

/** The share of files in the order about a program; `null`: it has none. */
export function filesOf({ more }: Pick<DescribedProgram, 'more'>): ProgramFiles | null {
  return more['files'] === undefined ? null : programFilesSchema.parse(more['files'])
}

export interface AskedText extends Omit<RenderRequest, 'folder'> {
  service: string
  release: string
}

/** Enough for the largest files, as JSON. */
const mostAnswer = 8 * 1024 * 1024
/** Of the process that fills in files: its heap is limited too. */
const [mostMemory, mostTasks] = [512 * 1024 * 1024, 64]
/** The last characters of an error of Tandem's own program. */
const shownChars = 1_000

/**
 * Fills in the files of services, in a process in the jail of the service: a template is text of a user, and root does
 * not interpret it. No value and no file passes through the agent.
 */
export class FillingFiles {
  readonly #parts: FillParts

  constructor(parts: FillParts) {
    this.#parts = parts
  }

  /** Fills in the files of a generation, and keeps them, unless they are here. Why they are not accepted; `null`: they are. */
  async fill(asked: AskedFiles): Promise<string | null> {
    const { service, generation } = asked
    const { kept } = this.#parts
    const ordered = this.#ordered(asked)
    kept.keepOnly(service, ordered.generations)
    if (kept.has(service, generation)) return null
    const values = ordered.program.hasSecrets ? await this.#parts.valuesOf(service, generation) : {}
    const answer = await this.#filled(asked, ordered, values)
    if ('problem' in answer) return answer.problem
    // The process was that of the service: it decides the texts, not where they are.
    const paths = Object.keys(ordered.files.files)
    const texts = paths.map((path) => [path, answer.files[path]] as const)
    if (Object.keys(answer.files).length !== paths.length || texts.some(([, text]) => text === undefined))
      throw new Error(`the program that fills in files of ${service} answered with other files`)
    await kept.keep(service, generation, Object.fromEntries(texts) as Record<string, string>) // each is there
    const failure = await this.#check(asked, ordered, Object.values(values))
    if (failure === null) kept.accept(service, generation)
    return failure
  }

  /** Texts for people, with other texts in the place of secrets: whoever asks knows everything that is in them. */
  async show({ service, release, ...request }: AskedText): Promise<RenderAnswer> {
    if (!this.#parts.orders.knows(service)) return { problem: `${service} has not run on this machine yet` }
    return this.#run({ service, release, id: checkInstance(service, 'show', 0) }, undefined, request)
  }

  #ordered({ service, generation, order }: AskedFiles): Ordered {
    const { generations } = this.#parts.orders.service(service, order)
    const program = generations[generation]
    const files = program ? filesOf(program) : null
    if (!program || !files) throw refused(service, `the order names no files of generation ${generation}`)
    return { program, files, generations: Object.keys(generations) }
  }

  async #filled(
    { service, generation }: AskedFiles,
    { program: { release, definition }, files: { files, variables } }: Ordered,
    values: Record<string, Buffer>,
  ): Promise<RenderAnswer> {
    await this.#parts.refuseJail(service, definition.jail)
    return this.#run({ service, release, id: checkInstance(service, generation, 0) }, definition.jail, {
      variables,
      files: templatesOf(files),
      secrets: Object.fromEntries(Object.entries(values).map(([name, value]) => [name, value.toString('base64')])),
    })
  }

  async #run(
    { service, release, id }: Pick<InstanceSpec, 'service' | 'release' | 'id'>,
    jail: InstanceSpec['jail'],
    of: Omit<RenderRequest, 'folder'>,
  ): Promise<RenderAnswer> {
    const { releaseFolder, units, systemctl } = this.#parts
    const folder = releaseFolder(release)
    if (!existsSync(folder)) throw new Error(`release ${release.slice(0, 12)} of ${service} is not on this machine`)
    const spec: InstanceSpec = {
      ...{ id, service, release, cwd: folder, argv: fillArgv(fillLimits, jail), env: { PATH: '/usr/bin:/bin' } },
      ...{ stop: { signal: 'SIGKILL', withinMs: 2_000 }, sees: [programFolder], ...(jail ? { jail } : {}) },
      // Texts for people come without a jail: systemd would give the data to another user than that of `jail: user`.
      isWithoutData: true,
      limits: { memoryBytes: mostMemory, cpu: null, tasks: mostTasks, bodyBytes: null },
    }
    const input = JSON.stringify({ folder, ...of } satisfies RenderRequest)
    const work = { spec, credentials: [], input, withinMs: fillLimits.timeoutMs, mostBytes: mostAnswer }
    const ended = await runOnce(work, { units, systemctl })
    if (ended.code === 0) return renderAnswerSchema.parse(JSON.parse(ended.out))
    if (ended.isLate) return { problem: `the templates take longer than ${fillLimits.timeoutMs / 1_000} s` }
    if (ended.code === null) return { problem: 'the templates need too much memory' }
    throw new Error(`the program that fills in files exited with status ${ended.code}: ${ended.err.slice(-shownChars)}`)
  }

  /** Runs the checks one after the other. Why one did not accept its file; `null`: each did. */
  async #check(
    { service, generation }: AskedFiles,
    { program, files: { files } }: Ordered,
    values: Buffer[],
  ): Promise<string | null> {
    const { programs, units, systemctl, credentialsOf, detach } = this.#parts
    for (const [index, [path, { check }]] of Object.entries(files).entries()) {
      if (!check) continue
      const id = checkInstance(service, generation, index + 1)
      const argv = check.map((word) => word.replaceAll('{}', join(shownFiles, path)))
      const spec = programs.command({ id, service, generation, program }, argv)
      try {
        const { withinMs, tailBytes: mostBytes } = checkLimits
        const work = { spec, credentials: credentialsOf(spec), input: '', withinMs, mostBytes }
        const ended = await runOnce(work, { units, systemctl })
        if (ended.code !== 0) return checkProblem(path, endOf(ended), `${ended.out}${ended.err}`, values)
      } finally {
        detach(spec)
      }
    }
    return null
  }
}

function endOf({ code, signal, isLate }: Ended): string {
  if (isLate) return `did not end within ${checkLimits.withinMs / 1_000} s`
  return code === null ? `killed by ${signal}` : `exited with status ${code}`
}
