import { coalesced } from '../lib/coalesced.ts'
import { exec, execOrThrow, type Outcome } from '../lib/exec.ts'
import { callSystemd } from './bus/callSystemd.ts'

/** systemd on this machine, through systemctl. Every call has a deadline. */
export interface Systemctl {
  version(): Promise<number>
  /** Resolves with the text on stderr if the start failed, or with `null` if it succeeded. */
  start(unit: string, timeoutMs: number): Promise<string | null>
  /** A unit that systemd does not know is no error. */
  stop(unit: string, timeoutMs: number): Promise<void>
  /** Resolves when the stop has begun: systemd does not restart the unit any more. */
  beginStop(unit: string): Promise<void>
  /** A unit that does not run is no error. */
  kill(unit: string, whom: 'main' | 'all', signal: string): Promise<void>
  resetFailed(unit: string): Promise<void>
  /** The result has no entry for a unit that systemd does not know, or no longer knows. */
  show(units: string[]): Promise<Map<string, UnitState>>
  /** Makes systemd read unit files again. Calls during a reload share the next reload. */
  reload(): Promise<void>
  /** Resolves when all output that services have printed by now can be read from the journal. */
  syncJournal(): Promise<void>
}

export interface UnitState {
  loaded: boolean
  /** systemd.service(5): `running`, `auto-restart`, `dead`, `failed`, `exited`, `stop-sigterm`, … */
  sub: string
  /** 0 if no main process runs. */
  mainPid: number
  /** The newest main process, running or gone. */
  lastPid: number
  /** As in waitid(2): 1 exited, 2 killed, 3 dumped; 0 while it runs. */
  code: number
  status: number
  result: string
  /** A different id for each life. */
  invocation: string
  controlGroup: string
  /**
   * Time when the newest main process began: milliseconds of the monotonic clock of the machine, which process.hrtime
   * reads too.
   */
  startedMs: number
  /** Restarts by systemd itself since a person or the agent started the unit. */
  restarts: number
}

const properties = [
  ...['Id', 'LoadState', 'SubState', 'MainPID', 'ExecMainPID', 'ExecMainCode', 'ExecMainStatus', 'Result'],
  ...['InvocationID', 'ControlGroup', 'ExecMainStartTimestampMonotonic', 'NRestarts'],
]
const callMs = 30_000
const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C.UTF-8', SYSTEMD_PAGER: '', SYSTEMD_COLORS: '0' }
/** systemctl's exit status for a unit that does not exist (LSB: program is not installed). */
const notLoaded = 5
/** Units on one command line: far below the limit of the kernel. */
const mostUnits = 500

export function createSystemctl(): Systemctl {
  const reloads = coalesced(async () => {
    await must(['systemctl', 'daemon-reload'])
  })
  return {
    version: async () => Number(/^systemd (\d+)/.exec(await must(['systemctl', '--version']))?.[1] ?? 0),
    start: async (unit, timeoutMs) => {
      const { code, err } = await call(['systemctl', 'start', '--', unit], timeoutMs)
      return code === 0 ? null : err.trim()
    },
    stop: async (unit, timeoutMs) => {
      const { code, err } = await call(['systemctl', 'stop', '--', unit], timeoutMs)
      if (code !== 0 && code !== notLoaded) throw new Error(`systemd did not stop ${unit}: ${err.trim()}`)
    },
    beginStop: async (unit) => {
      try {
        await callSystemd('StopUnit', [unit, 'replace'])
      } catch {
        // There is no bus, or systemd does not know the unit.
        const { code, err } = await call(['systemctl', 'stop', '--no-block', '--', unit], callMs)
        if (code !== 0 && code !== notLoaded)
          throw new Error(`systemd did not accept the request to stop ${unit}: ${err.trim()}`)
      }
    },
    kill: async (unit, whom, signal) => {
      await call(['systemctl', 'kill', `--kill-whom=${whom}`, `--signal=${signal}`, '--', unit], callMs)
    },
    resetFailed: async (unit) => {
      await call(['systemctl', 'reset-failed', '--', unit], callMs) // may fail: the unit has not failed
    },
    show: async (units) => {
      const states = new Map<string, UnitState>()
      for (let from = 0; from < units.length; from += mostUnits) {
        const some = units.slice(from, from + mostUnits)
        const out = await must(['systemctl', 'show', `--property=${properties.join(',')}`, '--', ...some])
        for (const block of out.split('\n\n')) addState(states, block)
      }
      return states
    },
    reload: () => reloads.ask(),
    syncJournal: async () => {
      await must(['journalctl', '--sync'])
    },
  }
}

function addState(states: Map<string, UnitState>, block: string): void {
  const said = new Map(
    block.split('\n').map((line): [string, string] => [line.split('=', 1)[0] ?? '', line.slice(line.indexOf('=') + 1)]),
  )
  const unit = said.get('Id')
  if (unit === undefined) return
  const number = (name: string): number => Number(said.get(name) ?? 0)
  states.set(unit, {
    loaded: said.get('LoadState') === 'loaded',
    sub: said.get('SubState') ?? 'dead',
    mainPid: number('MainPID'),
    lastPid: number('ExecMainPID'),
    code: number('ExecMainCode'),
    status: number('ExecMainStatus'),
    result: said.get('Result') ?? '',
    invocation: said.get('InvocationID') ?? '',
    controlGroup: said.get('ControlGroup') ?? '',
    startedMs: number('ExecMainStartTimestampMonotonic') / 1000,
    restarts: number('NRestarts'),
  })
}

const must = (argv: string[]): Promise<string> => execOrThrow(argv, { timeoutMs: callMs, env })
const call = (argv: string[], timeoutMs: number): Promise<Outcome> => exec(argv, { timeoutMs, env })
