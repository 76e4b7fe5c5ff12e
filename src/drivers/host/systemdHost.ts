import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { bootMark } from '../../lib/bootId.ts'
import { writeFileDurably } from '../../lib/durableFile.ts'
import { exec, execOrThrow } from '../../lib/exec.ts'
import { maintenanceUnit } from '../../layout/maintenance.ts'
import { lastWords } from '../../systemd/units.ts'
import type { HostDriver, HostScript, ScriptState } from './host.ts'

/**
 * The machine through systemd's programs. Each script is its own unit: an upgrade of systemd or of Tandem does not end
 * it.
 */
export function createSystemdHost(dir: string): HostDriver {
  const fileOf = ({ id }: HostScript): string => join(dir, `${id}.script`)
  const show = async (unit: string): Promise<Map<string, string>> => {
    const out = await execOrThrow([
      'systemctl',
      'show',
      '--property=LoadState,ActiveState,Result,ExecMainStatus',
      '--',
      unit,
    ])
    return new Map(
      out.split('\n').map((line): [string, string] => [line.split('=', 1)[0] ?? '', line.split('=')[1] ?? '']),
    )
  }
  const lastLines = async (unit: string): Promise<string> => {
    const lines = await lastWords(unit, identifier)
    return lines === '' ? '' : `; its last lines: ${lines}`
  }
  return {
    bootMark,
    begin: async (script) => {
      mkdirSync(dir, { recursive: true, mode: 0o700 })
      const file = fileOf(script)
      writeFileDurably(file, script.text)
      await execOrThrow([
        ...['systemd-run', `--unit=${unitOf(script)}`, '--no-block', `--description=Tandem: ${printable(script.name)}`],
        // After its end the unit stays known until `forget`: its result is read later.
        ...['--property=Type=oneshot', '--property=RemainAfterExit=yes', `--property=SyslogIdentifier=${identifier}`],
        ...[`--property=TimeoutStartSec=${script.withinMs}ms`, '--property=KillMode=mixed'],
        ...interpreterOf(script.text),
        file,
      ])
    },
    look: async (script): Promise<ScriptState> => {
      const unit = unitOf(script)
      const said = await show(unit)
      if (said.get('LoadState') !== 'loaded') return { state: 'unknown' }
      switch (said.get('ActiveState')) {
        case 'active':
          return { state: 'ok' }
        case 'failed': {
          const how =
            said.get('Result') === 'timeout'
              ? `did not end within ${script.withinMs / 1000} s`
              : `exited with status ${said.get('ExecMainStatus')}`
          return { state: 'failed', reason: `${script.name} ${how}${await lastLines(unit)}` }
        }
        case 'inactive':
          return { state: 'unknown' }
        default:
          return { state: 'running' }
      }
    },
    forget: async (script) => {
      const unit = unitOf(script)
      // Each command fails if the unit is in the other state, which is fine.
      await exec(['systemctl', 'stop', '--', unit])
      await exec(['systemctl', 'reset-failed', '--', unit])
      rmSync(fileOf(script), { force: true })
    },
    restart: async () => {
      await execOrThrow(['systemctl', '--no-block', 'reboot'])
    },
  }
}

const identifier = 'tandem-maintenance'

const unitOf = ({ id }: HostScript): string => maintenanceUnit(id)

const printable = (text: string): string => text.replaceAll(/[^\w ./-]/g, '?')

/** On some machines /var is mounted without `exec`, so the interpreter is named here and not left to the kernel. */
function interpreterOf(text: string): string[] {
  const named = /^#!\s*(\/\S+)(?:[ \t]+(\S.*?))?\s*$/m.exec(text.split('\n', 1)[0] ?? '')
  if (!named) return ['/bin/sh']
  return [named[1] ?? '/bin/sh', ...(named[2] === undefined ? [] : [named[2]])]
}
