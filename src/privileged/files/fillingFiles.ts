import { existsSync } from 'node:fs'
import { checkInstance } from '../../definitions/names.ts'
import { fillArgv, fillLimits } from '../../drivers/files/fillCommand.ts'
import type { CarriedContent, InstanceSpec } from '../../drivers/supervisor/supervisor.ts'
import { runOnce, type Ended } from '../../drivers/supervisor/systemd/runOnce.ts'
import type { UnitHost } from '../../drivers/supervisor/systemd/unitHost.ts'
import type { Credential } from '../../drivers/supervisor/systemd/unitText.ts'
import { programFolder } from '../../lib/programFolder.ts'
import type { DescribedProgram } from '../../protocol/serviceOrders.ts'
import type { Systemctl } from '../../systemd/systemctl.ts'
import { masked } from '../../templates/masked.ts'
import { renderAnswerSchema, type RenderAnswer, type RenderRequest } from '../../templates/request.ts'
import { refused, type AcceptedOrders } from '../services/acceptedOrders.ts'
import type { OrderedPrograms } from '../services/orderedPrograms.ts'
import type { KeptFiles } from './keptFiles.ts'

export interface FillParts {
  orders: Pick<AcceptedOrders, 'service'>
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

/** Enough for the largest files, as JSON. */
const mostAnswer = 8 * 1024 * 1024
const checkMs = 60_000
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
    if (kept.has(service, generation)) return null
    const values = await this.#values(asked, program)
    const answer = await this.#filled(asked, program, values)
    if ('problem' in answer) return answer.problem
    await kept.keep(service, generation, answer.files)
    const failure = await this.#check(asked, program, Object.values(values))
    if (failure === null) kept.accept(service, generation)
    return failure
  }

  /** The same texts with the values of secrets masked, for people. Keeps nothing. */
  async show(asked: AskedFiles): Promise<RenderAnswer> {
    const { program } = this.#ordered(asked)
    const values = await this.#values(asked, program)
    const answer = await this.#filled(asked, program, values)
    if ('problem' in answer) return answer
    const hide = (text: string): string => masked(text, Object.values(values))
    return { files: Object.fromEntries(Object.entries(answer.files).map(([path, text]) => [path, hide(text)])) }
  }

  #ordered({ service, generation, order }: AskedFiles): { program: DescribedProgram; generations: string[] } {
    const { generations } = this.#parts.orders.service(service, order)
    const program = generations[generation]
    if (!program?.files) throw refused(service, `the order names no files of generation ${generation}`)
    return { program, generations: Object.keys(generations) }
  }

  async #values(
    { service, generation }: AskedFiles,
    { hasSecrets }: DescribedProgram,
  ): Promise<Record<string, Buffer>> {
    return hasSecrets ? this.#parts.valuesOf(service, generation) : {}
  }

  async #filled(
    { service, generation }: AskedFiles,
    { release, definition, files }: DescribedProgram,
    values: Record<string, Buffer>,
  ): Promise<RenderAnswer> {
    const { releaseFolder, refuseJail, units, systemctl } = this.#parts
    const folder = releaseFolder(release)
    if (!existsSync(folder)) throw new Error(`release ${release.slice(0, 12)} of ${service} is not on this machine`)
    await refuseJail(service, definition.jail)
    const request: RenderRequest = {
      ...{ folder, variables: files?.variables ?? {} },
      files: Object.fromEntries(Object.entries(files?.files ?? {}).map(([path, { template }]) => [path, template])),
      secrets: Object.fromEntries(Object.entries(values).map(([name, value]) => [name, value.toString('base64')])),
    }
    const spec: InstanceSpec = {
      ...{ id: checkInstance(service, generation, 0), service, release, cwd: folder, argv: fillArgv(definition.jail) },
      ...{ env: { PATH: '/usr/bin:/bin' }, stop: { signal: 'SIGKILL', withinMs: 2_000 }, sees: [programFolder] },
      limits: { memoryBytes: fillLimits.memoryBytes, cpu: null, tasks: fillLimits.tasks, bodyBytes: null },
      ...(definition.jail ? { jail: definition.jail } : {}),
    }
    const work = { spec, credentials: [], input: JSON.stringify(request), mostBytes: mostAnswer }
    const ended = await runOnce({ ...work, withinMs: fillLimits.timeoutMs }, { units, systemctl })
    if (ended.code === 0) return renderAnswerSchema.parse(JSON.parse(ended.out))
    return { problem: ended.isLate ? 'the templates take too long' : 'the templates need too much memory' }
  }

  /** Runs the checks one after the other. Why one did not accept its file; `null`: each did. */
  async #check(asked: AskedFiles, { files }: DescribedProgram, values: Buffer[]): Promise<string | null> {
    const { programs, units, systemctl, credentialsOf, detach } = this.#parts
    for (const [index, [path, { check }]] of Object.entries(files?.files ?? {}).entries()) {
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
