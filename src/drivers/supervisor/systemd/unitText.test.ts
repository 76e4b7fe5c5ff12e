import { describe, expect, it } from 'vitest'
import type { InstanceSpec } from '../supervisor.ts'
import { sliceName, unitName, userName } from './unitName.ts'
import { unitText } from './unitText.ts'

const spec: InstanceSpec = {
  id: 'shop-7f3a-a-1',
  service: 'shop',
  release: '0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0',
  argv: ['node', 'web.mjs', '--greeting', 'hello "world" 100% $HOME \\ \n;'],
  env: { PORT: '18001', SECRET: 'do not show', PATH: '/usr/bin:/bin' },
  cwd: '/var/lib/tandem/cache/trees/0f1e',
  limits: { memoryBytes: 512 * 1024 * 1024, cpu: 1.5, tasks: 200, bodyBytes: null, files: 4096 },
  stop: { signal: 'SIGINT', withinMs: 10_000 },
}
const places = {
  executable: '/usr/bin/node',
  environmentFile: '/var/lib/tandem/supervisor/environment/tandem-shop-7f3a-a-1.env',
  hidden: ['/var/lib/tandem', '/etc/tandem'],
  hasRestartSteps: false,
}

describe('the unit of an instance', () => {
  it('names no data folder for a program without data', () => {
    expect(unitText(spec, places)).toContain('StateDirectory=')
    expect(unitText({ ...spec, isWithoutData: true }, places)).not.toContain('StateDirectory')
  })

  it('has exactly this text each time, and contains no value of the environment', () => {
    const text = unitText(spec, places)
    expect(text).toMatchInlineSnapshot(`
      "# tandem-shop-7f3a-a-1.service: an instance of the service shop.
      #   instance  shop-7f3a-a-1
      #   release   0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0
      # Written by Tandem, see docs/files.md: inspect and restart it like any other unit; changes to this file are lost with the instance.

      [Unit]
      Description=shop, release 0f1e2d3c4b5a (Tandem)
      After=network.target
      StartLimitIntervalSec=0

      [Service]
      Type=exec
      ExecStart=:"/usr/bin/node" "web.mjs" "--greeting" "hello \\"world\\" 100%% $HOME \\\\ \\x0a;"
      WorkingDirectory=/var/lib/tandem/cache/trees/0f1e
      EnvironmentFile=/var/lib/tandem/supervisor/environment/tandem-shop-7f3a-a-1.env
      UnsetEnvironment=HOME INVOCATION_ID JOURNAL_STREAM LANG LOGNAME MEMORY_PRESSURE_WATCH MEMORY_PRESSURE_WRITE SHELL STATE_DIRECTORY SYSTEMD_EXEC_PID USER
      TimeoutStartSec=30000ms

      Restart=always
      RestartSec=1
      # stop: SIGINT to the main process, then SIGTERM to the processes it left; SIGKILL to all after the timeout.
      KillMode=control-group
      KillSignal=SIGTERM
      TimeoutStopSec=10000ms
      TimeoutStopFailureMode=kill
      ExecStop=:-/bin/sh -c 'exec 2>/dev/null; PATH=/usr/bin:/bin; \\
        if [ -n "$MAINPID" ] && kill -s INT "$MAINPID"; then tail -f -s 0.02 --pid="$MAINPID" /dev/null; fi; \\
        while IFS=: read -r n c p; do case $n$c in 0|*name=systemd) for t in "" /unified /systemd; do \\
        [ ! -r /sys/fs/cgroup$t$p/cgroup.procs ] || g=/sys/fs/cgroup$t$p/cgroup.procs; done;; esac; done </proc/self/cgroup; \\
        while [ -n "$g" ]; do left=; while read -r p; do [ "$p" != $$ ] || continue; left=1; \\
        case " $told " in *" $p "*) continue;; esac; if kill -s TERM "$p"; then told="$told $p"; \\
        else case " $refused " in *" $p "*) exit;; esac; refused="$refused $p"; fi; \\
        done <"$g"; [ -n "$left" ] && sleep 0.02 || exit; done'

      Slice=tandem-shop.slice
      MemoryMax=536870912
      MemorySwapMax=0
      CPUQuota=150%
      TasksMax=200
      LimitNOFILE=4096

      # The journal keeps the output.
      SyslogIdentifier=shop
      SyslogLevelPrefix=no
      LogExtraFields=TANDEM_SERVICE=shop TANDEM_INSTANCE=shop-7f3a-a-1
      LogRateLimitIntervalSec=30s
      LogRateLimitBurst=10000

      # The jail; docs/definition.md lists the keys that open it.
      DynamicUser=yes
      User=tandem-shop
      StateDirectory=tandem-data/shop
      StateDirectoryMode=0700
      NoNewPrivileges=yes
      CapabilityBoundingSet=
      AmbientCapabilities=
      SystemCallFilter=@system-service
      SystemCallErrorNumber=EPERM
      SystemCallArchitectures=native
      PrivateTmp=yes
      PrivateDevices=yes
      ProtectSystem=strict
      ProtectHome=yes
      ProtectProc=invisible
      InaccessiblePaths=-/proc/cmdline
      ProtectClock=yes
      ProtectHostname=yes
      ProtectKernelTunables=yes
      ProtectKernelModules=yes
      ProtectKernelLogs=yes
      ProtectControlGroups=yes
      RestrictNamespaces=yes
      RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
      RestrictRealtime=yes
      RestrictSUIDSGID=yes
      LockPersonality=yes
      RemoveIPC=yes
      PrivateIPC=yes
      TemporaryFileSystem=/dev/shm:size=536870912,mode=1777
      KeyringMode=private
      UMask=0077
      TemporaryFileSystem=/var/lib/tandem:ro
      InaccessiblePaths=-/etc/tandem
      BindReadOnlyPaths=/var/lib/tandem/cache/trees/0f1e

      # systemd starts this unit after a reboot, without Tandem.
      [Install]
      WantedBy=multi-user.target

      [X-Tandem]
      Service=shop
      Instance=shop-7f3a-a-1
      Release=0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0
      Once=no
      Signal=SIGINT
      WithinMs=10000
      Port=18001
      "
    `)
    expect(unitText(structuredClone(spec), { ...places })).toBe(text)
    expect(text).not.toContain('do not show')
  })

  it('loads its secrets as credentials, and its variables among them before the program begins', () => {
    const folder = '/var/lib/tandem/privileged/credentials/tandem-shop-7f3a-a-1.service'
    const credentials = ['database', 'environment'].map((name) => ({
      ...{ name, path: `${folder}/${name}.cred`, isVariables: name === 'environment' },
    }))
    const lines = unitText(spec, { ...places, credentials }).split('\n')
    const start = lines.indexOf(
      '# Its secrets. Only systemd reads these files; the values are in memory that is never swapped.',
    )
    expect(lines.slice(start + 1, start + 7)).toEqual([
      `LoadCredentialEncrypted=database:${folder}/database.cred`,
      `LoadCredentialEncrypted=environment:${folder}/environment.cred`,
      'EnvironmentFile=-%d/environment',
      'ExecStartPre=/bin/true',
      '# A core would hold them. The kernel hands one to a program even at 0.',
      'LimitCORE=1',
    ])
    const files = unitText(spec, { ...places, credentials: credentials.slice(0, 1) })
    expect(files).not.toMatch(/ExecStartPre|%d/)
    expect(unitText(spec, places)).not.toMatch(/Credential|LimitCORE/)
    // Nothing runs as root with the environment of the service, in which LD_PRELOAD may be.
    expect(lines.filter((line) => /^Exec\w+=[-@:]*[+!]/.test(line))).toEqual([])
  })

  it('of a one-off program is not enabled, and runs once', () => {
    const text = unitText({ ...spec, once: true }, places)
    expect(text).toContain('\nRestart=no\n')
    expect(text).toContain('\nRemainAfterExit=yes\n')
    expect(text).not.toMatch(/WantedBy|Restart=always/)
  })

  it('waits for readiness and a watchdog if requested, and longer after each crash if systemd supports that', () => {
    const text = unitText(
      { ...spec, notify: { withinMs: 9_000, watchdogMs: 3_000 } },
      { ...places, hasRestartSteps: true },
    )
    for (const line of [
      'Type=notify',
      'TimeoutStartSec=9000ms',
      'NotifyAccess=all',
      'WatchdogSec=3000ms',
      'RestartSteps=5',
    ])
      expect(text).toContain(`\n${line}\n`)
  })

  it.each([
    [{ write: ['/srv/media'] }, 'ReadWritePaths=/srv/media'],
    [{ scratch: ['/var/log/rabbitmq'] }, 'TemporaryFileSystem=/var/log/rabbitmq:size=64M,mode=1777'],
    [{ capabilities: ['CAP_NET_BIND_SERVICE'] }, 'AmbientCapabilities=CAP_NET_BIND_SERVICE'],
    [{ devices: ['/dev/fuse'] }, 'DeviceAllow=/dev/fuse rw'],
    [{ addressFamilies: ['AF_NETLINK'] }, 'RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK'],
    [{ systemCalls: ['@mount'] }, 'SystemCallFilter=@system-service @mount'],
    [{ user: 'media' }, 'User=media'],
    [{ denyWriteExecute: true }, 'MemoryDenyWriteExecute=yes'],
    [{ addresses: ['10.0.0.5', 'fd00::/8'] }, 'IPAddressDeny=any'],
    [{ addresses: ['10.0.0.5', 'fd00::/8'] }, 'IPAddressAllow=localhost 10.0.0.5 fd00::/8'],
  ])('changes the jail by name: %o', (jail, line) => {
    expect(unitText(spec, places)).not.toContain(`\n${line}\n`)
    expect(unitText({ ...spec, jail }, places)).toContain(`\n${line}\n`)
  })

  it.each([
    '/etc/tandem',
    '/etc/tandem/',
    '/var/lib/tandem/cache',
    '/srv/../dev/shm',
    '/dev//shm/x',
    '/run/tandem-files',
  ])('cannot make a folder writable that is hidden from it: %s', (path) => {
    expect(() => unitText({ ...spec, jail: { write: ['/srv/tandem', path] } }, places)).toThrow('no service sees')
  })

  it.each([
    [{ namespaces: true }, 'RestrictNamespaces='],
    [{ seeProcesses: true }, 'ProtectProc='],
    [{ seeProcesses: true }, 'InaccessiblePaths=-/proc/'],
    [{ devices: ['/dev/fuse'] }, 'PrivateDevices='],
    [{ user: 'media' }, 'DynamicUser='],
  ])('loosens the jail by omitting: %o', (jail, start) => {
    expect(unitText(spec, places)).toContain(`\n${start}`)
    expect(unitText({ ...spec, jail }, places)).not.toContain(`\n${start}`)
  })

  it('gives scratch folders to the user of the service, where its number is known', () => {
    const jail = { scratch: ['/run/shop'] }
    const line = '\nTemporaryFileSystem=/run/shop:size=64M,mode=0700,uid=990,gid=990\n'
    expect(unitText({ ...spec, jail }, { ...places, owner: 990 })).toContain(line)
  })

  it('bounds shared memory by the memory of the instance, or else as the machine does', () => {
    expect(unitText(spec, places)).toContain('\nTemporaryFileSystem=/dev/shm:size=536870912,mode=1777\n')
    const limits = { ...spec.limits, memoryBytes: null }
    expect(unitText({ ...spec, limits }, places)).toContain('\nTemporaryFileSystem=/dev/shm:size=50%,mode=1777\n')
  })

  it('never contains text that would be read as another line or directive', () => {
    for (const jail of [
      { write: ['/a\nUser=root'] },
      { scratch: ['/var/log:mode=0'] },
      { capabilities: ['CAP_X\n'] },
      { systemCalls: ['~@all'] },
      { addresses: ['10.0.0.1\nUser=root'] },
    ])
      expect(() => unitText({ ...spec, jail }, places)).toThrow(expect.objectContaining({ code: 'E_DEFINITION' }))
    for (const cwd of ['/a b', '/a\nUser=root', '/a%h', 'relative', '/a:b', '/a\\'])
      expect(() => unitText({ ...spec, cwd }, places)).toThrow(expect.objectContaining({ code: 'E_EXEC' }))
  })
})

describe('names', () => {
  it('contain service and instance once, and are not too long', () => {
    expect(unitName('shop', 'shop-r1-a-1')).toBe('tandem-shop-r1-a-1.service')
    expect(unitName('shop', 'r1')).toBe('tandem-shop-r1.service')
    expect(sliceName('my-shop')).toBe('tandem-my\\x2dshop.slice')
    expect(userName('shop')).toBe('tandem-shop')
    const long = ['a'.repeat(40), `${'a'.repeat(39)}b`].map(userName)
    expect(long.map((name) => name.length)).toEqual([31, 31])
    expect(new Set(long).size).toBe(2)
  })
})
