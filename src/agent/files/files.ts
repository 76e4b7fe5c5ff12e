import type { FilesHost } from '../../drivers/files/filesHost.ts'
import type { InstanceSpec, SecretValues, SupervisorDriver } from '../../drivers/supervisor/supervisor.ts'
import { checkInstance } from '../../definitions/names.ts'
import { filesVariable } from '../../definitions/files/paths.ts'
import { Backoff } from '../../lib/backoff.ts'
import { sleep, type Clock } from '../../lib/clock.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import type { Answer, Ask, UnknownAsk } from '../../protocol/ask.ts'
import type { DesiredState } from '../../protocol/desiredState.ts'
import { templatesOf, type Render, type RenderAsk } from '../../protocol/files.ts'
import type { Report } from '../../protocol/report.ts'
import { checkLimits, checkProblem } from '../../templates/checks.ts'
import { maskedSecret } from '../../templates/masked.ts'
import { shortened } from '../agentReport.ts'
import type { JobRunner } from '../jobs/jobRunner.ts'
import { isSuccess } from '../jobs/jobRecord.ts'
import { Generations } from '../generations.ts'
import type { MachineFeature } from '../machineFeature.ts'
import type { Problems } from '../problems.ts'
import type { Program, ReleaseLauncher } from '../releaseLauncher.ts'
import type { CheckWork } from './checkJobs.ts'

interface Parts {
  host: FilesHost
  checks: Pick<JobRunner<CheckWork>, 'run' | 'close'>
  launcher: Pick<ReleaseLauncher, 'extend' | 'folder' | 'secrets' | 'order'>
  supervisor: Pick<SupervisorDriver, 'filesFolder'>
  problems: Pick<Problems, 'add' | 'solved'>
  clock: Clock
  random: () => number
  changed: () => void
}

/** A start that waits for its files gives up after this long; it is tried again like any failed start. */
const startWaitMs = 30_000
const retry = { firstMs: 200, mostMs: 15_000 }

type Contents = Record<string, Uint8Array>
type Slice = Pick<Report, 'rendered' | 'renderFailures'>

/** The files of one generation, filled in once. */
interface Filling {
  wanted: Render
  /** Instances of the generation were started before: their files were accepted. */
  isAccepted: boolean
  over: AbortController
  /** `null`: not made yet, or the host keeps them. */
  contents: Contents | null
  state: 'running' | 'done' | 'failed'
  /** Why it failed, or why the last try did. */
  why: string | null
  done: Promise<void>
}

/** Fills in the files of services from templates, and checks them, before an instance of the generation starts. */
export class Files implements MachineFeature<Slice> {
  readonly #parts: Parts
  readonly #generations = new Generations()
  readonly #fillings = new Map<string, Filling>()
  /** Whether the host keeps no files that nobody wants. */
  #isTidy = false
  #tidying: Promise<void> = Promise.resolve()
  #definitions: DesiredState['definitions'] = {}

  constructor(parts: Parts) {
    this.#parts = parts
    parts.launcher.extend({
      settings: (program) => this.#variables(program),
      files: (program, signal) => this.#filesOf(program, signal),
    })
  }

  want(desired: DesiredState): void {
    this.#generations.want(desired)
    this.#definitions = desired.definitions
    const wanted = new Map(desired.render.map((one) => [one.generation, one]))
    for (const [generation, { over, wanted: of }] of this.#fillings) {
      if (wanted.has(generation)) continue
      over.abort()
      this.#fillings.delete(generation)
      this.#isTidy = false
      this.#parts.problems.solved(problemOf(of))
    }
    const started = new Set(desired.instances.map(({ generation }) => generation))
    for (const [generation, one] of wanted)
      if (!this.#fillings.has(generation)) this.#begin(one, started.has(generation))
    this.retry(desired)
  }

  retry(desired: DesiredState | null): void {
    if (desired && !this.#isTidy) this.#tidying = this.#tidy()
  }

  /** Files that nobody wants go. A failure is tried again at the next heartbeat. */
  async #tidy(): Promise<void> {
    const kept: Record<string, string[]> = {}
    for (const [generation, { wanted }] of this.#fillings) (kept[wanted.service] ??= []).push(generation)
    this.#isTidy = true
    try {
      await this.#parts.host.keepOnly?.(kept)
      this.#parts.problems.solved('files')
    } catch (error) {
      this.#isTidy = false
      this.#parts.problems.add('files', error)
    }
  }

  report(): Slice {
    const all = [...this.#fillings]
    return {
      rendered: all.flatMap(([generation, { state }]) => (state === 'done' ? [generation] : [])),
      renderFailures: all.flatMap(([generation, { state, why }]) =>
        state === 'failed' ? [{ generation, message: shortened(why ?? '') }] : [],
      ),
    }
  }

  answer(ask: Ask | UnknownAsk, signal: AbortSignal): Promise<Answer> | null {
    return ask.kind === 'render' ? this.#render(ask, signal) : null
  }

  async #render({ release, files, variables, secrets }: RenderAsk, signal: AbortSignal): Promise<Answer> {
    const folder = await this.#parts.launcher.folder(release, signal)
    const masks = Object.fromEntries(secrets.map((name) => [name, Buffer.from(maskedSecret).toString('base64')]))
    const request = { folder, files, variables, secrets: masks }
    const answer = await this.#parts.host.show({ service: variables.service.name, release, request })
    if ('files' in answer) return { kind: 'rendered', files: answer.files }
    throw new OperatorError('E_TEMPLATE', answer.problem)
  }

  stop(): void {
    for (const { over } of this.#fillings.values()) over.abort()
  }

  close(): Promise<void> {
    return this.#parts.checks.close()
  }

  #begin(wanted: Render, isAccepted: boolean): void {
    const filling: Filling = {
      ...{ wanted, isAccepted, over: new AbortController(), contents: null, state: 'running', why: null },
      done: Promise.resolve(),
    }
    this.#fillings.set(wanted.generation, filling)
    filling.done = this.#fill(filling)
  }

  /** Never rejects: templates and checks that fail end it; anything else is a problem, and is tried again. */
  async #fill(filling: Filling): Promise<void> {
    const { problems, clock, random, changed } = this.#parts
    const { signal } = filling.over
    const backoff = new Backoff(retry, random)
    while (!signal.aborted) {
      try {
        const failure = await this.#try(filling, signal)
        // The host may have kept it after the request to keep only others.
        if (signal.aborted) return void (this.#isTidy = false)
        Object.assign(filling, { state: failure === null ? 'done' : 'failed', why: failure })
        if (failure === null) problems.solved(problemOf(filling.wanted))
        else problems.add(problemOf(filling.wanted), new Error(failure))
        return changed()
      } catch (error) {
        if (signal.aborted) return
        filling.why = error instanceof Error ? error.message : String(error)
        problems.add(problemOf(filling.wanted), error)
        await sleep(clock, backoff.next(), signal)
      }
    }
  }

  /** Why the files cannot be made; `null`: they are. */
  async #try(filling: Filling, signal: AbortSignal): Promise<string | null> {
    const { host, launcher } = this.#parts
    const { generation, release, files, variables, service } = filling.wanted
    const program = { id: checkInstance(service, generation, 0), release, generation }
    const folder = await launcher.folder(release, signal)
    await this.#tidying // an older request must not remove these files
    const values = (await launcher.secrets(program, signal)).secrets?.values
    const request = {
      ...{ folder, variables, secrets: encoded(values) },
      files: templatesOf(files),
    }
    const answer = await host.fillIn({ service, generation, request, order: launcher.order(service) })
    if ('problem' in answer) return answer.problem
    if ('isKept' in answer) return null
    filling.contents = Object.fromEntries(
      Object.entries(answer.files).map(([path, text]) => [path, Buffer.from(text)] as const),
    )
    return filling.isAccepted ? null : this.#check(filling, values, signal)
  }

  /** Runs the checks one after the other. Why one did not accept its file; `null`: each did. */
  async #check({ wanted }: Filling, values: SecretValues | undefined, signal: AbortSignal): Promise<string | null> {
    const { service, release, generation, files } = wanted
    const definition = this.#definitions[release]
    if (!definition) throw new Error(`the definition of release ${release} is missing: a bug`)
    for (const [index, [path, { check }]] of Object.entries(files).entries()) {
      if (!check) continue
      const id = checkInstance(service, generation, index + 1)
      const file = `${this.#folderOf(id)}/${path}`
      const work = { service, release, generation, definition, argv: check.map((word) => word.replaceAll('{}', file)) }
      const how = await this.#parts.checks.run({ id, work, withinMs: checkLimits.withinMs, signal }).ended
      signal.throwIfAborted()
      if (how === null) throw new Error('the agent ended while a check ran')
      if (isSuccess(how)) continue
      return checkProblem(path, how.why, how.tail ?? '', bytesOf(values))
    }
    return null
  }

  #folderOf(program: string): string {
    return this.#parts.supervisor.filesFolder?.(program) ?? ''
  }

  #variables(program: Program): Record<string, string> {
    return this.#fillingOf(program) ? { [filesVariable]: this.#folderOf(program.id) } : {}
  }

  #fillingOf(program: Program): Filling | undefined {
    return this.#fillings.get(this.#generations.of(program) ?? '')
  }

  /** Resolves once the files with which a program starts are made; `null`: it has none. */
  async #filesOf(program: Program, signal: AbortSignal): Promise<InstanceSpec['files'] | null> {
    const filling = this.#fillingOf(program)
    if (!filling) return null
    const { service, generation, files } = filling.wanted
    const checks = Object.keys(files).map((_, index) => checkInstance(service, generation, index + 1))
    if (!checks.includes(program.id)) await this.#awaited(filling, signal)
    const { contents } = filling
    return { generation, ...(contents ? { contents } : {}) }
  }

  async #awaited({ done, wanted }: Filling, signal: AbortSignal): Promise<void> {
    const over = new AbortController()
    await Promise.race([done, sleep(this.#parts.clock, startWaitMs, AbortSignal.any([over.signal, signal]))])
    over.abort()
    const { state, why } = this.#fillings.get(wanted.generation) ?? { state: 'failed', why: 'nobody wants it any more' }
    if (state === 'done') return
    throw new OperatorError('E_TEMPLATE', `its files are not filled in: ${why ?? 'that takes too long'}`, {
      subject: wanted.service,
      next: `fix the template or the value, and push ${wanted.service} again`,
    })
  }
}

const problemOf = ({ service }: Render): string => `files ${service}`

const bytesOf = (values: SecretValues | undefined): Uint8Array[] =>
  values ? [...Object.values(values.files), ...Object.values(values.env).map((value) => Buffer.from(value))] : []

function encoded(values: SecretValues | undefined): Record<string, string> {
  const { files = {}, env = {} } = values ?? {}
  const all = [...Object.entries(files), ...Object.entries(env)]
  return Object.fromEntries(all.map(([name, value]) => [name, Buffer.from(value).toString('base64')]))
}
