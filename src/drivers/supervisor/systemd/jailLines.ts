import type { Jail } from '../../../definitions/definition.ts'
import { jailPatterns } from '../../../definitions/jailPatterns.ts'
import { OperatorError } from '../../../lib/operatorError.ts'

const addressFamilies = ['AF_INET', 'AF_INET6', 'AF_UNIX']

/**
 * The directives of the jail. Every key of `jail` loosens exactly its own directive (`addresses` and `denyWriteExecute`
 * tighten it).
 */
export function jailLines(jail: Jail): string[] {
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
    ...(jail.seeProcesses ? [] : ['ProtectProc=invisible', 'ProcSubset=pid']),
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
    'KeyringMode=private',
    'UMask=0077',
    ...(jail.denyWriteExecute ? ['MemoryDenyWriteExecute=yes'] : []),
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
