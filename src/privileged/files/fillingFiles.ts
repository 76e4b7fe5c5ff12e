import { existsSync } from 'node:fs'
import { checkInstance } from '../../definitions/names.ts'
import { fillArgv, fillLimits } from '../../drivers/files/fillCommand.ts'
import type { CarriedContent, InstanceSpec } from '../../drivers/supervisor/supervisor.ts'
import { runOnce, type Ended } from '../../drivers/supervisor/systemd/runOnce.ts'
import type { UnitHost } from '../../drivers/supervisor/systemd/unitHost.ts'
import type { Credential } from '../../drivers/supervisor/systemd/unitText.ts'
import { programFolder } from '../../lib/programFolder.ts'
import { programFilesSchema, type ProgramFiles } from '../../protocol/files.ts'
import type { DescribedProgram } from '../../protocol/serviceOrders.ts'
import type { Systemctl } from '../../systemd/systemctl.ts'
import { masked } from '../../templates/masked.ts'
import { renderAnswerSchema, type RenderAnswer, type RenderRequest } from '../../templates/request.ts'
import { refused, type AcceptedOrders } from '../services/acceptedOrders.ts'
import type { OrderedPrograms } from '../services/orderedPrograms.ts'
import type { KeptFiles } from './keptFiles.ts'

export interface FillParts {
  orders: Pick<AcceptedOrders, 'service' | 'knows'>
  programs: Pick<OrderedPrograms, 'check'>
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

type ProgramWithFiles = Omit<DescribedProgram, 'variables'> & ProgramFiles

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
const checkMs = 60_000
/** Of the process that fills in files: its heap is limited too. */
const [mostMemory, mostTasks] = [512 * 1024 * 1024, 64]
/** The last bytes of the output of a check that are read, and the last characters that are shown, with secrets masked. */
const [tailBytes, shownChars] = [16_384, 1_000]

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
    const { program, generations } = this.#ordered(asked)
    kept.keepOnly(service, generations)
    if (kept.has(service, generation)) {
      kept.accept(service, generation)
      return null
    }
    const values = await this.#values(asked, program)
    const answer = await this.#filled(asked, program, values)
    if ('problem' in answer) return answer.problem
    await kept.keep(service, generation, answer.files)
    const failure = await this.#check(asked, program, Object.values(values))
    if (failure === null) kept.accept(service, generation)
    return failure
  }

  /** Texts for people, with other texts in the place of secrets: whoever asks knows everything that is in them. */
  async show({ service, release, ...request }: AskedText): Promise<RenderAnswer> {
    if (!this.#parts.orders.knows(service)) return { problem: `${service} has not run on this machine yet` }
    return this.#run({ service, release, id: checkInstance(service, 'show', 0) }, undefined, request)
  }

  #ordered({ service, generation, order }: AskedFiles): { program: ProgramWithFiles; generations: string[] } {
    const { generations } = this.#parts.orders.service(service, order)
    const program = generations[generation]
    const files = program ? filesOf(program) : null
    if (!program || !files) throw refused(service, `the order names no files of generation ${generation}`)
    return { program: { ...program, ...files }, generations: Object.keys(generations) }
  }

  async #values(
    { service, generation }: AskedFiles,
    { hasSecrets }: ProgramWithFiles,
  ): Promise<Record<string, Buffer>> {
    return hasSecrets ? this.#parts.valuesOf(service, generation) : {}
  }

  async #filled(
    { service, generation }: AskedFiles,
    { release, definition, files, variables }: ProgramWithFiles,
    values: Record<string, Buffer>,
  ): Promise<RenderAnswer> {
    await this.#parts.refuseJail(service, definition.jail)
    return this.#run({ service, release, id: checkInstance(service, generation, 0) }, definition.jail, {
      variables,
      files: Object.fromEntries(Object.entries(files).map(([path, { template }]) => [path, template])),
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
  async #check(asked: AskedFiles, { files }: ProgramWithFiles, values: Buffer[]): Promise<string | null> {
    const { programs, units, systemctl, credentialsOf, detach } = this.#parts
    for (const [index, [path, { check }]] of Object.entries(files).entries()) {
      if (!check) continue
      const spec = programs.check(asked, { path, argv: check, number: index + 1 })
      try {
        const work = { spec, credentials: credentialsOf(spec), input: '', withinMs: checkMs, mostBytes: tailBytes }
        const failure = failureOf(await runOnce(work, { units, systemctl }), values)
        if (failure !== null) return `the check of ${path} failed: ${failure}`
      } finally {
        detach(spec)
      }
    }
    return null
  }
}

function failureOf({ code, signal, isLate, out, err }: Ended, values: Buffer[]): string | null {
  if (code === 0) return null
  const how = isLate
    ? `did not end within ${checkMs / 1_000} s`
    : code === null
      ? `killed by ${signal}`
      : `exited with status ${code}`
  const output = masked(`${out}${err}`, values).trim().slice(-shownChars)
  return output === '' ? how : `${how}: ${output}`
}
