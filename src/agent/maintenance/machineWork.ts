import type { HostDriver } from '../../drivers/host/host.ts'
import type { DesiredState } from '../../protocol/desiredState.ts'
import type { Report } from '../../protocol/report.ts'
import { shortened } from '../agentReport.ts'
import { ending, isSuccess, type JobRecord } from '../jobs/jobRecord.ts'
import { JobRunner, type JobParts } from '../jobs/jobRunner.ts'
import { aboutWork, restartKind, scriptKind, workKey } from './workRecords.ts'
import { restartJobs, scriptJobs, type RestartWork, type ScriptWork } from './maintenanceJobs.ts'

type Asked = NonNullable<DesiredState['maintenance']>
type Orders = DesiredState['orders']

interface Parts extends JobParts {
  /** `null` where this agent may not run maintenance on its machine. */
  host: HostDriver | null
  /** See HostScripts; tests shorten them. */
  lookMs?: number
  graceMs?: number
}

/** Maintenance of the machine itself, once for each attempt: a script, then a restart; either may be absent. */
export class MachineWork {
  #parts: Parts
  #scripts: JobRunner<ScriptWork>
  #restarts: JobRunner<RestartWork>
  #asked: Asked | null = null
  #orders: Orders | null = null
  #isClosing = false

  constructor(parts: Parts) {
    this.#parts = parts
    this.#scripts = new JobRunner(scriptJobs(parts), parts)
    this.#restarts = new JobRunner(restartJobs(parts), parts)
    this.#watchLeft()
  }

  /** The last maintenance of this machine; `ok` is `null` while it is in progress. */
  report(): Report['maintenance'] {
    const last = this.#parts.records.of(scriptKind, restartKind).at(-1)
    const about = last && aboutWork(last)
    if (!about) return null
    const { ok, reason } = outcomeOf(last)
    return { id: about.maintenance, attempt: about.attempt, ok, reason: shortened(reason) }
  }

  /** `null` means that the current step finishes and no further step begins. */
  want(asked: Asked | null, orders: Orders | null = null): void {
    this.#asked = asked
    this.#orders = orders
    this.#advance()
  }

  async close(): Promise<void> {
    this.#isClosing = true
    await Promise.all([this.#scripts.close(), this.#restarts.close()])
  }

  /** Begins the next step of the maintenance that is asked for, once no script of another one runs. */
  #advance(): void {
    const asked = this.#asked
    if (!asked || this.#isClosing) return
    const id = workKey(asked)
    if (this.#scripts.running().some((other) => other !== id)) return
    const script = this.#scripts.find(id)
    const isScriptDone = script === null ? !asked.script : outcomeOf(script).isRestartNext
    if (this.#restarts.find(id) || (isScriptDone && asked.restart)) this.#restart(asked)
    else if (script?.state === 'ended') return
    else if (asked.script) this.#script(asked, asked.script)
    else this.#restarts.settle({ id, work: { ...asked, order: null } }, ending('succeeded', '')) // nothing was asked for
  }

  #script(asked: Asked, about: NonNullable<Asked['script']>): void {
    const id = workKey(asked)
    const work = { ...asked, script: { ...about, id }, order: this.#orders?.script ?? null }
    if (!this.#parts.host) return this.#scripts.settle({ id, work }, cannot)
    this.#follow(asked, work)
  }

  #restart(asked: Asked): void {
    const id = workKey(asked)
    const work = { ...asked, order: this.#orders?.restart ?? null }
    if (this.#parts.host) this.#restarts.run({ id, work })
    else if (this.#restarts.find(id)?.state !== 'ended') this.#restarts.settle({ id, work }, cannot)
  }

  /** Runs a script, or watches it, and does what follows. */
  #follow(of: Pick<Asked, 'id' | 'attempt' | 'restart'>, work: ScriptWork): void {
    const id = workKey(of)
    if (this.#scripts.running().includes(id)) return
    void this.#scripts.run({ id, work }).ended.then((how) => {
      if (how === null) return
      const isAsked = this.#asked !== null && workKey(this.#asked) === id
      if (isSuccess(how) && of.restart && !isAsked) this.#restarts.settle({ id, work: { ...of, order: null } }, tooLate)
      this.#advance()
    })
  }

  /** A script that runs since before this agent is watched to its end, even if nobody asks for it any more. */
  #watchLeft(): void {
    if (!this.#parts.host) return
    for (const record of this.#scripts.records()) {
      const about = aboutWork(record)
      if (record.state !== 'started' || about?.withinMs === undefined) continue
      const { maintenance, attempt, restart, name, withinMs } = about
      const script = { id: record.id, name, text: '', withinMs }
      this.#follow({ id: maintenance, attempt, restart }, { id: maintenance, attempt, restart, script, order: null })
    }
  }
}

const cannot = ending('notStarted', 'the agent cannot do maintenance: it does not run as root under systemd')
const tooLate = ending('cancelled', 'the maintenance was stopped before the restart')

function outcomeOf(record: JobRecord): { ok: boolean | null; reason: string; isRestartNext: boolean } {
  if (record.state !== 'ended') return { ok: null, reason: '', isRestartNext: false }
  const ok = isSuccess(record.ending)
  const isRestartNext = ok && record.kind === scriptKind && aboutWork(record)?.restart === true
  return { ok: isRestartNext ? null : ok, reason: record.ending.why, isRestartNext }
}
