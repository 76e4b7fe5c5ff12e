import { abilityNames } from '../../protocol/slices.ts'
import type { MachineDesire } from '../../protocol/desiredState.ts'
import type { DesiredInstance } from '../../protocol/services.ts'
import { laterPaths } from '../../definitions/keyPaths.ts'
import type { Report } from '../../protocol/report.ts'
import type { ReportedInstance } from '../../protocol/services.ts'

/** Outcome of an instance that is started: ready, failed, or neither for ever. */
export type Fate = 'ready' | 'fails' | 'hangs'

interface Running {
  desired: DesiredInstance
  state: 'starting' | 'ready' | 'failed'
  unstable: boolean
  restarts: number
  work: number
  ending: boolean
}

/**
 * A machine in memory, for tests. It carries out desired states, a little at each `work()`, and a test can set how it
 * goes wrong. A setting holds until the test changes it.
 */
export class FakeMachine {
  readonly name: string
  alive = true
  boot = 1
  seq = 0
  fates: Record<string, Fate> = {}
  /** Releases that the machine cannot fetch, and whether it is slow to fetch the others. */
  unfetchable = new Set<string>()
  slowFetch = false
  prepareFate: Fate = 'ready'
  /** Outcome of filling in the files of a generation. */
  renderFate: Fate = 'ready'
  /** Drivers that apply nothing. */
  balancerStuck = false
  supervisorStuck = false
  /** Services whose routes the machine's balancer cannot open. */
  unserved: Report['unserved'] = []
  /** Standing problems, as the machine's agent reports them. */
  problems: string[] = []
  abilities: string[] = [...abilityNames]
  definitionKeys: string[] = [...laterPaths]
  neverDrains = false
  hangsAtStop = false
  /** Work in flight that a retired instance still has; one less at each `work()`. */
  workAtRetire = 1
  /** Releases with an instance that failed or hung here, and whether a driver did: both may hinder going back. */
  readonly troubled = new Set<string>()
  wasStuck = false

  desire: MachineDesire | null = null
  position = 0
  seen: Report['seen'] = null
  applied = { supervisor: 0, balancer: 0, address: 0 }
  readonly running = new Map<string, Running>()
  fetched = new Set<string>()
  prepared: Report['prepared'] = []
  rendered = new Set<string>()
  removedData: string[] = []
  maintenance: Report['maintenance'] = null
  /** Outcome of work on the machine itself. */
  maintenanceFate: Fate = 'ready'
  addresses: Report['addresses'] = { held: [], withheld: null, trouble: null, reaches: [] }
  firewall: Report['firewall'] = { state: 'off', why: null, calls: [] }

  constructor(name: string) {
    this.name = name
  }

  receive(desire: MachineDesire, position: number): void {
    if (position < this.position) return
    this.desire = desire
    this.position = position
  }

  work(): void {
    if (!this.desire) return
    if (this.balancerStuck || this.supervisorStuck || this.hangsAtStop) this.wasStuck = true
    for (const release of this.desire.fetch) this.fetch(release)
    for (const { rollout } of this.desire.prepare) this.prepare(rollout)
    for (const one of this.running.values()) this.progress(one)
    if (this.desire.maintenance) this.maintain(this.desire.maintenance)
    if (!this.supervisorStuck) this.applyInstances(this.desire)
    if (!this.balancerStuck) this.applyTraffic(this.desire)
    this.removedData = this.desire.removedData
  }

  /** Works once for each attempt. A restart takes the running instances along, and all of them start again. */
  private maintain({ id, attempt, restart }: NonNullable<MachineDesire['maintenance']>): void {
    if (this.maintenanceFate === 'hangs') return
    if (this.maintenance?.id === id && this.maintenance.attempt === attempt) return
    const ok = this.maintenanceFate === 'ready'
    this.maintenance = { id, attempt, ok, reason: ok ? '' : 'patch.sh exited with status 1' }
    if (ok && restart) this.restart()
  }

  private fetch(release: string): void {
    if (!this.slowFetch && !this.unfetchable.has(release)) this.fetched.add(release)
  }

  private prepare(rollout: string): void {
    if (this.prepareFate === 'hangs' || this.prepared.some((one) => one.rollout === rollout)) return
    const ok = this.prepareFate === 'ready'
    this.prepared.push({ rollout, ok, reason: ok ? '' : 'it exited with status 1' })
  }

  /** A generation that was filled in once stays so. */
  private renders(): Pick<Report, 'rendered' | 'renderFailures'> {
    const wanted = (this.desire?.render ?? []).map(({ generation }) => generation)
    if (this.renderFate === 'ready') for (const generation of wanted) this.rendered.add(generation)
    const failed = this.renderFate === 'fails' ? wanted.filter((one) => !this.rendered.has(one)) : []
    return {
      rendered: wanted.filter((one) => this.rendered.has(one)),
      renderFailures: failed.map((generation) => ({ generation, message: 'app.liquid:2:7: undefined variable' })),
    }
  }

  private progress(one: Running): void {
    const fate = this.fates[one.desired.release] ?? 'ready'
    if (fate !== 'ready' && one.state !== 'ready') this.troubled.add(one.desired.release)
    if (one.state === 'starting' && fate !== 'hangs') one.state = fate === 'ready' ? 'ready' : 'failed'
    else if (one.state === 'failed' && fate === 'ready') {
      one.state = 'ready'
      one.unstable = false
    }
    if (one.desired.traffic === 'idle' && one.work > 0 && !this.neverDrains) one.work--
  }

  private applyInstances(desire: MachineDesire): void {
    const wanted = new Set(desire.instances.map(({ id }) => id))
    for (const [id, one] of this.running) {
      if (wanted.has(id)) continue
      one.ending = true
      if (!this.hangsAtStop) this.running.delete(id)
    }
    for (const desired of desire.instances) {
      const known = this.running.get(desired.id)
      if (known) continue
      const started = { desired: { ...desired, traffic: 'idle' as const }, state: 'starting' as const }
      this.running.set(desired.id, { ...started, unstable: false, restarts: 0, work: 0, ending: false })
    }
    this.applied.supervisor = this.position
  }

  private applyTraffic(desire: MachineDesire): void {
    for (const desired of desire.instances) {
      const known = this.running.get(desired.id)
      if (!known || known.desired.traffic === desired.traffic) continue
      known.work = desired.traffic === 'idle' ? this.workAtRetire : 0
      known.desired = desired
    }
    this.applied.balancer = this.position
  }

  /** Ready instances crash, and fail again and again until their fate is good. */
  crash(release: string): void {
    this.troubled.add(release)
    for (const one of this.running.values()) {
      if (one.desired.release === release) Object.assign(one, { state: 'failed', unstable: true })
    }
  }

  /** Restarts the agent and with it, as on a laptop, every instance; with its disk lost, the machine knows nothing. */
  restart(diskLost = false): void {
    this.boot++
    this.seq = 0
    this.applied = { supervisor: 0, balancer: 0, address: 0 }
    for (const [id, one] of this.running) {
      if (one.ending) this.running.delete(id)
      else Object.assign(one, { state: 'starting', unstable: false, work: 0 })
    }
    if (!diskLost) return
    this.running.clear()
    this.fetched = new Set()
    this.prepared = []
    this.rendered = new Set()
    this.desire = null
    this.position = 0
  }

  report(): Report {
    this.seq++
    return {
      machine: this.name,
      boot: this.boot,
      seq: this.seq,
      version: 'test',
      abilities: this.abilities,
      definitionKeys: this.definitionKeys,
      program: null,
      seen: this.seen,
      refused: null,
      applied: { ...this.applied },
      endpoints: { host: `10.0.0.${this.name}`, http: 80, forward: 81, metrics: 82 },
      fetched: [...this.fetched],
      fetchFailures: (this.desire?.fetch ?? [])
        .filter((release) => this.unfetchable.has(release))
        .map((release) => ({ release, message: 'hash mismatch' })),
      ...this.renders(),
      instances: [...this.running.values()].map(reported),
      prepared: this.prepared,
      lastWords: [],
      removedData: this.removedData,
      maintenance: this.maintenance,
      maintains: true,
      unserved: this.unserved,
      addresses: this.addresses,
      firewall: this.firewall,
      problems: this.problems,
      limits: { memory: false, cpu: false, tasks: false, why: null },
      held: null,
    }
  }
}

const reported = ({ desired, state, unstable, restarts, work }: Running): ReportedInstance => ({
  id: desired.id,
  service: desired.service,
  release: desired.release,
  state,
  reason: state === 'failed' ? 'exited with status 1' : null,
  port: 7_000,
  pid: 1,
  since: '2026-01-01T00:00:00.000Z',
  restarts,
  unstable,
  work,
  long: 0,
})
