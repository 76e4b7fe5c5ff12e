import { describe, expect, it } from 'vitest'
import type { InstanceSpec } from '../supervisor.ts'
import { companionText, companionUnit, companionUnitPattern } from './companionUnit.ts'
import { jailLines } from './jailLines.ts'
import { unitText } from './unitText.ts'

const spec: InstanceSpec = {
  ...{ id: 'shop-1', service: 'shop', release: 'r1', argv: ['node'], cwd: '/var/lib/tandem/cache/trees/r1' },
  env: { PORT: '18001', PATH: '/usr/bin:/bin' },
  limits: { memoryBytes: 1024 * 1024, cpu: 1.5, tasks: 200, bodyBytes: null },
  stop: { signal: 'SIGTERM', withinMs: 10_000 },
  notify: { withinMs: 5_000, watchdogMs: 2_000 },
  jail: { write: ['/srv/files'], capabilities: ['CAP_NET_BIND_SERVICE'] },
}
const places = { executable: '/usr/bin/node', environmentFile: '/e/shop-1.env', hidden: ['/etc/tandem'] }
const instance = 'tandem-shop-1.service'
const probe = {
  name: 'probe',
  argv: ['/bin/sh', '-c', 'echo "$1" 100%'] as [string, ...string[]],
  own: ['StandardInput=file:/run/x/in'],
}
const text = (of: InstanceSpec): string => unitText(of, { ...places, hasRestartSteps: true })

describe('the unit of a companion', () => {
  it('has exactly the jail of the instance, and nothing of its life', () => {
    const all = text({ ...spec, jail: {} })
    const jail = jailLines({}, spec.limits).join('\n')
    expect(companionText(instance, all, probe).replace(jail, '(the jail)')).toMatchInlineSnapshot(`
      "# tandem-shop-1@probe.service: runs beside tandem-shop-1.service, in a copy of its jail.
      # Written by Tandem, see docs/files.md; it is removed when it ends.

      [Unit]
      Description=probe beside tandem-shop-1.service (Tandem)
      JoinsNamespaceOf=tandem-shop-1.service
      StopPropagatedFrom=tandem-shop-1.service

      [Service]
      Type=exec
      ExecStart=:"/bin/sh" "-c" "echo \\"$1\\" 100%%"
      StandardInput=file:/run/x/in

      WorkingDirectory=/var/lib/tandem/cache/trees/r1
      EnvironmentFile=/e/shop-1.env
      UnsetEnvironment=HOME INVOCATION_ID JOURNAL_STREAM LANG LOGNAME MEMORY_PRESSURE_WATCH MEMORY_PRESSURE_WRITE SHELL STATE_DIRECTORY SYSTEMD_EXEC_PID USER
      Slice=tandem-shop.slice
      MemoryMax=1048576
      MemorySwapMax=0
      CPUQuota=150%
      TasksMax=200
      LimitNOFILE=65536
      DynamicUser=yes
      User=tandem-shop
      StateDirectory=tandem-data/shop
      StateDirectoryMode=0700
      (the jail)
      InaccessiblePaths=-/etc/tandem
      BindReadOnlyPaths=/var/lib/tandem/cache/trees/r1
      "
    `)
  })

  it('has every directive that loosens the jail of the instance', () => {
    const lines = companionText(instance, text(spec), probe).split('\n')
    expect(lines).toEqual(expect.arrayContaining(jailLines(spec.jail ?? {}, spec.limits)))
    expect(lines).toContain('ReadWritePaths=/srv/files')
  })

  it('copies a directive that this version does not know, and leaves out folders that end with a unit', () => {
    const newer = text(spec).replace('[X-Tandem]', 'PrivateIPC=yes\nRuntimeDirectory=shop\n\n[X-Tandem]')
    const changed = newer.replace('Slice=', 'CPUAffinity=0\nRuntimeDirectory=shop\nSlice=')
    const lines = companionText(instance, changed, probe)
    expect(lines).toContain('\nCPUAffinity=0\n')
    expect(lines).not.toContain('RuntimeDirectory')
    expect(lines).not.toContain('WantedBy')
  })

  it('has a name that no instance has', () => {
    expect(companionUnit(instance, 'shell-k3j2')).toBe('tandem-shop-1@shell-k3j2.service')
    expect(companionUnit(instance, 'shell-k3j2')).toMatch(companionUnitPattern)
    expect(instance).not.toMatch(companionUnitPattern)
  })
})
