import type { Definition } from '../../definitions/definition.ts'
import type { Expanded } from '../../definitions/expand.ts'
import type { InstanceSpec } from './supervisor.ts'

/** A program of a release that is about to start, with its arguments and environment. */
export interface PlannedProgram {
  /** Of the instance; of a program beside one, that of its instance. */
  id: string
  release: string
  definition: Definition
  words: Expanded
  /** Folder of the release. */
  cwd: string
  callsServices: boolean
  secrets?: InstanceSpec['secrets'] | undefined
  files?: InstanceSpec['files'] | undefined
}

/** Its role. `beside` and `health` run beside the instance, and have ids of their own. */
export type ProgramUse =
  | { as: 'instance' }
  /** The `prepare` of the release. */
  | { as: 'prepare' }
  | { as: 'command'; argv: string[] }
  | { as: 'beside'; id: string; argv: string[] }
  | { as: 'health'; id: string }

/** A shell ends when its terminal hangs up; the processes that it started have as long as the shell. */
const besideStop = { signal: 'SIGHUP', withinMs: 2_000 } as const
/** A command has no state to save. */
const healthStop = { signal: 'SIGKILL', withinMs: 0 } as const

/** The copy of a program that the supervisor runs. The same program gives the same spec, also in another process. */
export function programSpec(program: PlannedProgram, use: ProgramUse): InstanceSpec {
  const { id, release, definition, words, cwd } = program
  const { service, limits } = definition
  const common = { service, release, env: words.env, cwd, limits }
  switch (use.as) {
    case 'instance':
      return { ...common, id, argv: words.argv, ...ownLife(program), ...notifyOf(definition) }
    case 'prepare':
      return { ...common, id, argv: words.prepare ?? [], ...ownLife(program), once: true }
    case 'command':
      return { ...common, id, argv: use.argv, ...ownLife(program), once: true }
    case 'beside':
      return { ...common, id: use.id, argv: use.argv, stop: besideStop, ...besideLife(id, use.id) }
    case 'health': {
      const about = { stop: healthStop, attached: true, isRepeated: true }
      return { ...common, id: use.id, argv: words.healthCommand ?? [], ...about, ...besideLife(id, use.id) }
    }
  }
}

const ownLife = ({ definition: { stop, jail }, callsServices, secrets, files }: PlannedProgram) => ({
  stop,
  ...(jail ? { jail } : {}),
  ...(callsServices ? { callsServices } : {}),
  ...(secrets ? { secrets } : {}),
  ...(files ? { files } : {}),
})

/** Only the service itself sends a readiness notification; a one-off program does not. */
const notifyOf = ({ notify, health }: Definition): Pick<InstanceSpec, 'notify'> =>
  notify ? { notify: { ...notify, withinMs: health.withinMs } } : {}

const besideLife = (instance: string, access: string): Pick<InstanceSpec, 'once' | 'beside'> => ({
  once: true,
  beside: { instance, env: { TANDEM_ACCESS: access } },
})
