import type { HostDriver, HostScript, ScriptState } from './host.ts'

/** A machine that a test restarts, and whose scripts end as the test decides. */
export interface FakeHost extends HostDriver {
  readonly begun: HostScript[]
  readonly forgotten: string[]
  restarts: number
  /** Behaves as if the machine had been restarted: scripts that ran are not known any more. */
  start(): void
  /** Sets the result of scripts from now on. */
  setScripts(state: ScriptState): void
}

export function createFakeHost(): FakeHost {
  let [boots, state]: [number, ScriptState] = [1, { state: 'running' }]
  const known = new Set<string>()
  const host: FakeHost = {
    ...{ begun: [], forgotten: [], restarts: 0 },
    bootMark: () => `boot ${boots}`,
    begin: async (script) => {
      host.begun.push(script)
      known.add(script.id)
    },
    look: async ({ id }) => (known.has(id) ? state : { state: 'unknown' }),
    forget: async ({ id }) => void (known.delete(id), host.forgotten.push(id)),
    restart: async () => void (host.restarts += 1),
    start: () => {
      boots += 1
      known.clear()
    },
    setScripts: (next) => void (state = next),
  }
  return host
}
