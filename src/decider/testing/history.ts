import type { Definition } from '../../definitions/definition.ts'
import type { Target } from '../../events/rolloutEvents.ts'
import type { Report } from '../../protocol/report.ts'
import { backTarget } from '../../rollout/backTarget.ts'
import { conforms } from '../../rollout/conforms.ts'
import { planStep } from '../../rollout/planStep.ts'
import { freshTurn, type Service } from '../../rollout/state.ts'
import { desiredState } from '../desiredState.ts'
import type { World as State } from '../rooms.ts'
import { aDefinition } from '../../definitions/testing/aDefinition.ts'
import type { Fate, FakeMachine } from './fakeMachine.ts'
import { wrongDesire, wrongWith } from './invariants.ts'
import { World } from './world.ts'

const machineNames = ['a', 'b', 'c']
const fates: Fate[] = ['ready', 'ready', 'ready', 'fails', 'hangs']
const kinds = ['deploy', 'deploy', 'deploy', 'deploy', 'rollback', 'restart', 'stop', 'start', 'remove'] as const
/** Steps of at most 5 s: more than all deadlines of a maintenance and of the rollouts that wait for it. */
const calmSteps = 4_000

/** One random happening: its kind, and three numbers that select the machine and the details. */
export type Happening = [what: number, who: number, how: number, more: number]

/** A world to which random things happen; throws as soon as an invariant is broken. */
export class History {
  readonly world: World
  readonly late: { name: string; report: Report }[] = []
  private readonly ids = new Set<string>()
  private releases = 0

  private readonly same: (one: unknown, other: unknown) => boolean

  constructor(machines: number, same: (one: unknown, other: unknown) => boolean) {
    this.same = same
    this.world = new World(machineNames.slice(0, machines), (before, event, after) => {
      const wrong = wrongWith(before, event, after)
      if (event.type === 'StepStarted') {
        for (const { id } of event.data.start) {
          if (this.ids.has(id)) wrong.push(`instance ${id} was named before`)
          this.ids.add(id)
        }
      }
      if (wrong.length > 0) throw new Error(`${wrong.join('; ')} at ${JSON.stringify(event)}`)
    })
  }

  /** Most histories begin with running services. */
  begin(services: number): void {
    for (const service of ['shop', 'blog'].slice(0, services)) {
      const release = `r${++this.releases}`
      this.world.publish(release, this.definition(service, 1 + this.releases, services, 1))
      const rollout = this.world.nextId()
      const how = { kind: 'deploy', allowOutage: false, removeData: false } as const
      this.world.send({ type: 'StartRollout', rollout, service, release, ...how })
      this.world.settle()
    }
  }

  machine(who: number): FakeMachine {
    const names = [...this.world.machines.keys()]
    return this.world.machine(names[who % names.length] ?? 'a')
  }

  private deploy(who: number, how: number, more: number): void {
    const service = who % 7 === 0 ? 'blog' : 'shop'
    const kind = kinds[how % kinds.length] ?? 'deploy'
    if (this.releases === 0 || how % 4 !== 3) this.publish(service, who, how, more)
    const mine = Object.values(this.world.state.releases).filter((one) => one.service === service)
    const release = kind === 'deploy' ? (mine.at(-1 - (more % 2))?.id ?? 'none') : null
    const allowOutage = more % 11 === 0
    const rollout = this.world.nextId()
    this.world.send({ type: 'StartRollout', rollout, service, kind, release, allowOutage, removeData: more % 2 === 0 })
  }

  private publish(service: string, who: number, how: number, more: number): void {
    const release = `r${++this.releases}`
    this.world.publish(release, this.definition(service, who, how, more))
    const fate = fates[how % fates.length] ?? 'ready'
    for (const machine of this.world.machines.values()) {
      if (fate !== 'ready' && (more % 4 !== 0 || machine.name === 'b')) machine.fates[release] = fate
    }
  }

  private definition(service: string, who: number, how: number, more: number): Definition {
    const names = [...this.world.machines.keys()]
    return aDefinition({
      service,
      listen: more % 7 === 0 ? 'none' : 'http',
      prepare: more % 5 === 0 ? ['./migrate'] : null,
      ...(how % 6 === 2 ? { files: { 'app.conf': { template: 'app.liquid' } } } : {}),
      instances: 1 + (how % 5 === 0 ? more % 3 : 0),
      machines: who % 5 === 0 ? [names[more % names.length] ?? 'a'] : null,
      routes: more % 3 === 0 ? [{ host: null, path: `/${service}${more % 2}` }] : null,
      rollout: { strategy: who % 3 === 0 ? 'replace' : 'overlap', drainMs: 5_000 },
      health: { path: '/', everyMs: 100, timeoutMs: 2_000, withinMs: 5_000, settleMs: 1_000 },
      stop: { signal: 'SIGTERM', withinMs: 3_000 },
    })
  }

  private send(name: string): void {
    const { state } = this.world
    const desire = desiredState(state, name)
    const wrong = wrongDesire(state, desire)
    if (wrong.length > 0) throw new Error(wrong.join('; '))
    this.world.machine(name).receive(desire, state.position)
  }

  /** Sends to the machine and lets it work; its report arrives now, later, or twice. */
  round(who: number, how: number): void {
    const machine = this.machine(who)
    if (!machine.alive) return
    if (how % 5 !== 0) this.send(machine.name)
    machine.work()
    const report = machine.report()
    if (how % 7 === 0) this.late.push({ name: machine.name, report })
    else this.world.hear(machine.name, report)
    if (how % 11 === 0) this.world.hear(machine.name, report)
  }

  pass(ms: number): void {
    this.world.now += ms
    this.world.send({ type: 'TimePassed' })
    if (this.world.deadline() <= this.world.now) throw new Error('a deadline has passed and nothing came of it')
  }

  happens([what, who, how, more]: Happening): void {
    const machine = this.machine(who)
    switch (what) {
      case 0:
        return this.deploy(who, how, more)
      case 1: {
        const running = Object.values(this.world.state.rollouts).find((rollout) => rollout.stage !== 'finished')
        if (running && how % 2 === 0) this.world.send({ type: 'AbortRollout', rollout: running.id })
        return
      }
      case 2:
        return how % 3 === 0 ? this.maintain(machine.name, how, more) : this.drain(machine.name, how)
      case 3:
        this.world.send({ type: 'ReadyMachine', machine: machine.name })
        return
      case 4:
        machine.alive = how % 3 !== 0
        return
      case 5:
        return machine.restart(how % 2 === 0)
      case 6:
        return this.goWrong(machine, how)
      case 7: {
        const [release] = [...machine.running.values()].map((one) => one.desired.release)
        if (release && how % 2 === 0) machine.crash(release)
        if (release) machine.fates[release] = fates[more % fates.length] ?? 'ready'
        return
      }
      case 8: {
        const late = this.late.shift()
        if (late) this.world.hear(late.name, late.report)
        return
      }
      case 9:
        return this.restartController(how)
      case 10:
        if (!this.world.machines.has('c') && how % 3 === 0) this.world.join('c')
        return
      case 11:
        return this.pass([300, 2_000, 6_000, 12_000, 40_000][how % 5] ?? 300)
      default:
        // Mostly, the work continues: on all machines, or on a single one.
        if (what > 18) return this.round(who, how)
        for (let round = 0; round <= how % 12; round++) {
          for (const [index] of [...this.world.machines.keys()].entries()) this.round(index, more + round)
        }
        return this.pass(100)
    }
  }

  private drain(machine: string, how: number): void {
    this.world.send({ type: 'DrainMachine', machine, force: false, stop: how % 2 === 0 })
  }

  private maintain(machine: string, how: number, more: number): void {
    if (more % 4 === 0) return void this.world.send({ type: 'ResumeMaintenance', force: more % 8 === 0 })
    if (more % 4 === 1) return void this.world.send({ type: 'StopMaintenance' })
    const machines = how % 2 === 0 ? [machine] : [...this.world.machines.keys()]
    const about = { kind: 'patch', machines, script: null, restart: more % 3 !== 0, force: false } as const
    this.world.send({ type: 'StartMaintenance', maintenance: this.world.nextId(), ...about })
  }

  private goWrong(machine: FakeMachine, how: number): void {
    machine.balancerStuck = how % 6 === 0
    machine.supervisorStuck = how % 6 === 1
    machine.neverDrains = how % 3 === 2
    machine.hangsAtStop = how % 6 === 3
    machine.slowFetch = how % 7 === 4
    machine.maintenanceFate = how % 9 === 6 ? 'fails' : how % 9 === 8 ? 'hangs' : 'ready'
    machine.prepareFate = how % 8 === 5 ? 'fails' : how % 8 === 7 ? 'hangs' : 'ready'
    machine.renderFate = how % 10 === 2 ? 'fails' : how % 10 === 9 ? 'hangs' : 'ready'
  }

  private restartController(how: number): void {
    const before = this.world.state
    if (how % 2 === 0) {
      if (how % 4 === 0) this.world.now -= 3_600_000
      this.world.send({ type: 'RestartClock', reason: 'the clock jumped' })
      return
    }
    this.sameAs(before, this.world.refold())
    this.world.lead()
  }

  private sameAs(one: State, other: State): void {
    if (!this.same(one, other)) throw new Error('folding the log again gives another state')
  }

  /** Lets time pass to each next deadline, while the machines that are alive answer, however wrong they are. */
  letTimePass(): void {
    for (let step = 0; step < calmSteps; step++) {
      const from = this.world.log.length
      for (const [index] of [...this.world.machines.keys()].entries()) this.round(index, 1)
      if (this.world.log.length > from) continue
      const rollouts = Object.values(this.world.state.rollouts)
      const isMaintained = this.world.state.maintenance?.state === 'running'
      if (!isMaintained && rollouts.every((rollout) => rollout.stage === 'finished')) return
      // Machines that are alive report all the while: one long stride would make them lost.
      const wait = Math.max(0, this.world.deadline() - this.world.now)
      this.pass(Math.min(wait, 5_000 + 600_000 * Number(wait > 100_000 && this.allSilent())) + 1)
    }
    const { rollouts, maintenance } = this.world.state
    throw new Error(`a rollout or maintenance does not end: ${JSON.stringify({ rollouts, maintenance })}`)
  }

  private allSilent(): boolean {
    return [...this.world.machines.values()].every((machine) => !machine.alive)
  }

  heal(): void {
    for (const machine of this.world.machines.values()) {
      Object.assign(machine, { alive: true, balancerStuck: false, supervisorStuck: false, neverDrains: false })
      Object.assign(machine, { hangsAtStop: false, slowFetch: false, prepareFate: 'ready', renderFate: 'ready' })
      for (const release of Object.keys(machine.fates)) {
        if (machine.fates[release] === 'hangs') machine.fates[release] = 'fails'
      }
    }
    this.world.send({ type: 'StopMaintenance' })
    for (const name of this.world.machines.keys()) this.world.send({ type: 'ReadyMachine', machine: name })
    for (let step = 0; step < 40; step++) {
      const from = this.world.log.length
      for (const [index] of [...this.world.machines.keys()].entries()) this.round(index, 1)
      if (this.world.log.length > from) continue
      const wait = this.world.deadline() - this.world.now
      if (step > 3 && wait > 9_000) return
      this.pass(Math.min(Math.max(0, wait), 1_000) + 1)
    }
  }

  /**
   * Checks that each reachable machine runs what its service wants. A machine may differ only where something failed,
   * or where the change would leave the service without a ready instance.
   */
  checkRest(): void {
    const { state } = this.world
    for (const service of Object.values(state.services)) {
      for (const machine of Object.keys(state.machines)) {
        const target = backTarget(state, service, machine)
        const apart = service.behind.includes(machine) || service.leftAlone.includes(machine)
        const where = `${service.name} on ${machine}, which wants ${JSON.stringify(target)}`
        if (apart && !this.mayBeApart(service, machine)) throw new Error(`${where}: apart, and nothing failed there`)
        if (!apart && !conforms(state, service, machine, target) && !this.wouldInterrupt(service, machine, target)) {
          throw new Error(`${where}: not at rest there: ${JSON.stringify(Object.values(state.instances))}`)
        }
      }
    }
  }

  /**
   * An instance that the machine ran, or was to run, failed there; or a driver did; or the machine kept the serving
   * instances.
   */
  private mayBeApart({ name, current, behind }: Service, machine: string): boolean {
    const { troubled } = this.world.machine(machine)
    const failed = behind.includes(machine) ? troubled.size > 0 : troubled.has(current?.release ?? '')
    const kept = this.world.log.some(
      ({ type, data }) => type === 'TurnFinished' && data.service === name && data.reason?.startsWith('too few'),
    )
    return failed || kept || [...this.world.machines.values()].some((one) => one.wasStuck)
  }

  private wouldInterrupt({ name, lastRollout }: Service, machine: string, target: Target | null): boolean {
    const turn = freshTurn({ rollout: lastRollout ?? '', service: name, machine, direction: 'catchUp', target })
    const plan = planStep(this.world.state, turn)
    return plan.type === 'failed' && plan.reason.startsWith('too few')
  }

  checkLog(): void {
    const { log, state } = this.world
    const copy = this.world.refold(JSON.parse(JSON.stringify(log)))
    if (!this.same(copy, state)) throw new Error('events do not survive JSON')
    if (!this.same(JSON.parse(JSON.stringify(state)), state)) throw new Error('the state does not survive JSON')
  }
}
