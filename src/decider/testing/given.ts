import type { Definition } from '../../definitions/definition.ts'
import type { Decision } from '../../decision/refuse.ts'
import type { Instance } from '../../fleet/state.ts'
import type { StartMaintenance } from '../../maintenance/commands.ts'
import { aDefinition } from '../../definitions/testing/aDefinition.ts'
import { eventLine } from './eventLine.ts'
import type { FakeMachine } from './fakeMachine.ts'
import { wrongWith } from './invariants.ts'
import { World, type Ask } from './world.ts'

/** A user's command, made for the world that receives it and supplies its ids. */
export type Request = (world: World) => Ask

const roll =
  (kind: 'deploy' | 'rollback' | 'restart' | 'start' | 'stop' | 'remove', release: string | null) =>
  (over: Partial<{ service: string; allowOutage: boolean; removeData: boolean; force: boolean }> = {}): Request =>
  (world) => ({
    type: 'StartRollout',
    rollout: world.nextId(),
    service: 'shop',
    kind,
    release,
    allowOutage: false,
    removeData: false,
    ...over,
  })

export const deploy = (release: string, over = {}): Request => roll('deploy', release)(over)
export const rollback = (to: string | null = null): Request => roll('rollback', to)()
export const restart = roll('restart', null)
export const start = roll('start', null)
export const stop = roll('stop', null)
export const remove = roll('remove', null)
export const abort =
  (rollout: string): Request =>
  () => ({ type: 'AbortRollout', rollout })
export const drain =
  (machine: string, force = false, stop = false): Request =>
  () => ({ type: 'DrainMachine', machine, force, stop })
export const ready =
  (machine: string): Request =>
  () => ({ type: 'ReadyMachine', machine })

const maintain =
  (about: Omit<StartMaintenance, 'type' | 'maintenance'>): Request =>
  (world) => ({ type: 'StartMaintenance', maintenance: world.nextId(), ...about })
const patchScript = { name: 'patch.sh', text: 'true', withinMs: 60_000 }
export const patch = (machines: string[], over: Partial<StartMaintenance> = {}): Request =>
  maintain({ kind: 'patch', machines, script: patchScript, restart: true, force: false, ...over })
export const reboot = (machine: string, force = false): Request =>
  maintain({ kind: 'reboot', machines: [machine], script: null, restart: true, force })
export const resume: Request = () => ({ type: 'ResumeMaintenance', force: false })
export const forcedResume: Request = () => ({ type: 'ResumeMaintenance', force: true })
export const halt: Request = () => ({ type: 'StopMaintenance' })

/** Machines that have joined and run nothing yet. */
export const given = (...machines: string[]): Given => new Given(machines)

/**
 * Given what happened, when a command is sent, then these events follow. Whole machines in memory carry out at once
 * what is requested of them, unless a test sets them otherwise, while time stands still. `lines` returns what happened
 * since the last `when` (or `lines`).
 */
class Given {
  readonly world: World
  decision: Decision = { type: 'nothing' }
  private from = 0

  constructor(machines: string[]) {
    this.world = new World(machines, (before, event, after) => {
      const wrong = wrongWith(before, event, after)
      if (wrong.length > 0) throw new Error(wrong.join('; '))
    })
  }

  published(release: string, definition: Partial<Definition> = {}): this {
    this.world.publish(release, aDefinition(definition))
    return this
  }

  /** Publishes the release and completes its rollout. */
  running(release: string, definition: Partial<Definition> = {}): this {
    const { service = 'shop' } = definition
    return this.published(release, definition).when(deploy(release, { service })).settled()
  }

  and(change: (world: World) => void): this {
    change(this.world)
    return this
  }

  on(machine: string, change: Partial<FakeMachine>): this {
    Object.assign(this.world.machine(machine), change)
    return this
  }

  when(request: Request): this {
    this.from = this.world.log.length
    this.decision = this.world.send(request(this.world))
    return this
  }

  /** Lets the machines work until an event has this line. */
  until(line: string): this {
    this.from = this.world.log.length
    if (!this.world.settle((event) => eventLine(event) === line)) throw new Error(`"${line}" did not happen`)
    return this
  }

  settled(): this {
    this.world.settle()
    return this
  }

  passing(ms: number, step = 1_000): this {
    this.world.pass(ms, step)
    return this
  }

  lines(): string[] {
    const lines = this.world.log.slice(this.from).map(eventLine)
    this.from = this.world.log.length
    return lines.filter((line) => line !== null)
  }

  /** The instances of the service on each machine, in a few words. */
  runs(service = 'shop'): Record<string, string[]> {
    const all = Object.values(this.world.state.instances).filter((one) => one.service === service)
    const words = (one: Instance): string => [one.release, one.state, one.traffic].join(' ')
    return Object.fromEntries(
      [...this.world.machines.keys()].map((name) => [name, all.filter((one) => one.machine === name).map(words)]),
    )
  }

  part(rollout: string, machine: string): string | undefined {
    return this.world.state.rollouts[rollout]?.machines[machine]?.state
  }
}
