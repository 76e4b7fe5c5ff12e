import type { HostDriver, HostScript, ScriptState } from './host.ts'

/** A machine that a test restarts, and whose scripts end as the test decides. */
export interface FakeHost extends HostDriver {
  readonly begun: HostScript[]
  readonly forgotten: string[]
  restarts: number
  /** Behaves as if the machine had been restarted: scripts that ran are not known any more. */
  start(): void
  /** Sets the result of scripts from now on, unless they have one of their own. */
  setScripts(state: ScriptState): void
  /** Ends a script: with an exit status, or at its time limit. The messages are those of systemd's driver. */
  end(script: HostScript, how: number | 'late'): void
}

export function createFakeHost(): FakeHost {
  let [boots, state]: [number, ScriptState] = [1, { state: 'running' }]
  const known = new Set<string>()
  const own = new Map<string, ScriptState>()
  const host: FakeHost = {
    ...{ begun: [], forgotten: [], restarts: 0 },
    bootMark: () => `boot ${boots}`,
    begin: async (script) => {
      host.begun.push(script)
      known.add(script.id)
    },
    look: async ({ id }) => (known.has(id) ? (own.get(id) ?? state) : { state: 'unknown' }),
    forget: async ({ id }) => {
      known.delete(id)
      own.delete(id)
      host.forgotten.push(id)
    },
    restart: async () => void (host.restarts += 1),
    start: () => {
      boots += 1
      known.clear()
      own.clear()
    },
    setScripts: (next) => void (state = next),
    end: ({ id, name, withinMs }, how) => {
      const reason = how === 'late' ? `did not end within ${withinMs / 1_000} s` : `exited with status ${how}`
      own.set(id, how === 0 ? { state: 'ok' } : { state: 'failed', reason: `${name} ${reason}` })
    },
  }
  return host
}
