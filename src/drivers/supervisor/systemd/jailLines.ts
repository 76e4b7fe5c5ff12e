import type { Jail } from '../../../definitions/definition.ts'
import { jailPatterns } from '../../../definitions/jailPatterns.ts'
import { OperatorError } from '../../../lib/operatorError.ts'

const addressFamilies = ['AF_INET', 'AF_INET6', 'AF_UNIX']

/** A full scratch folder fails the instance that filled it, before the machine runs out of memory. */
const scratchSize = '64M'

interface Bounds {
  /** The memory that the instance may use; `null`: all. */
  memoryBytes?: number | null
  /** The number of the instance's user and its group, where it is known before the start. */
  owner?: number | null
}

/**
 * The directives of the jail. Every key of `jail` loosens exactly its own directive (`addresses` and `denyWriteExecute`
 * tighten it).
 */
export function jailLines(jail: Jail, { memoryBytes = null, owner = null }: Bounds = {}): string[] {
  const capabilities = listed('capabilities', jail.capabilities, jailPatterns.capability).join(' ')
  const devices = listed('devices', jail.devices, jailPatterns.path)
  return [
    'NoNewPrivileges=yes',
    `CapabilityBoundingSet=${capabilities}`,
    `AmbientCapabilities=${capabilities}`,
    `SystemCallFilter=${['@system-service', ...listed('systemCalls', jail.systemCalls, jailPatterns.systemCall)].join(' ')}`,
    'SystemCallErrorNumber=EPERM',
    'SystemCallArchitectures=native',
    'PrivateTmp=yes',
    ...(devices.length === 0
      ? ['PrivateDevices=yes']
      : ['DevicePolicy=closed', ...devices.map((path) => `DeviceAllow=${path} rw`)]),
    'ProtectSystem=strict',
    'ProtectHome=yes',
    // Not ProcSubset=pid: it hides meminfo, cpuinfo and loadavg too, by which runtimes size themselves. The kernel's command
    // line may hold secrets. Each further path would cost a start 2 ms (decision 29).
    ...(jail.seeProcesses ? [] : ['ProtectProc=invisible', 'InaccessiblePaths=-/proc/cmdline']),
    'ProtectClock=yes',
    'ProtectHostname=yes',
    'ProtectKernelTunables=yes',
    'ProtectKernelModules=yes',
    'ProtectKernelLogs=yes',
    'ProtectControlGroups=yes',
    ...(jail.namespaces ? [] : ['RestrictNamespaces=yes']),
    `RestrictAddressFamilies=${[...addressFamilies, ...listed('addressFamilies', jail.addressFamilies, jailPatterns.addressFamily)].join(' ')}`,
    ...(jail.addresses
      ? [
          'IPAddressDeny=any',
          `IPAddressAllow=${listed('addresses', ['localhost', ...jail.addresses], jailPatterns.address).join(' ')}`,
        ]
      : []),
    'RestrictRealtime=yes',
    'RestrictSUIDSGID=yes',
    'LockPersonality=yes',
    'RemoveIPC=yes',
    'PrivateIPC=yes',
    // PrivateIPC= leaves the machine's folder. It may be as large as that one, because programs that ran with it do not shrink.
    `TemporaryFileSystem=/dev/shm:size=${memoryBytes ?? '50%'},mode=1777`,
    'KeyringMode=private',
    'UMask=0077',
    ...(jail.denyWriteExecute ? ['MemoryDenyWriteExecute=yes'] : []),
    ...listed('scratch', jail.scratch, jailPatterns.scratch).map(
      (path) => `TemporaryFileSystem=${path}:size=${scratchSize},${ownedBy(owner)}`,
    ),
    ...listed('write', jail.write, jailPatterns.path).map((path) => `ReadWritePaths=${path}`),
  ]
}

function listed(key: string, values: string[] | undefined, shape: RegExp): string[] {
  for (const value of values ?? []) {
    if (shape.test(value)) continue
    const next = `write each value in the form ${shape.source}`
    throw new OperatorError('E_DEFINITION', `jail: ${key}: "${value}" is not valid in a unit file`, {
      subject: key,
      next,
    })
  }
  return values ?? []
}

/** Only the instance sees the folder, so one that all may write to is no less private. */
const ownedBy = (owner: number | null): string => (owner === null ? 'mode=1777' : `mode=0700,uid=${owner},gid=${owner}`)
