import { join } from 'node:path'
import { guardCommand } from './drivers/address/keepalived/guardCommand.ts'
import { keepalivedFiles } from './drivers/address/keepalived/keepalivedFiles.ts'
import { systemdAddressHost } from './drivers/address/keepalived/systemdAddressHost.ts'
import { createSystemdHost } from './drivers/host/systemdHost.ts'
import { openDataFolders } from './drivers/supervisor/dataFolders.ts'
import { openUnitHost } from './drivers/supervisor/systemd/unitHost.ts'
import { systemClock } from './lib/clock.ts'
import { agentUnit, guardUnit, privilegedUnit, unitFolder } from './layout/units.ts'
import { runAddressScript } from './privileged/addressScript.ts'
import { copyPublicCertificates } from './privileged/certificates.ts'
import { performer } from './privileged/operations.ts'
import { PrivilegedServer } from './privileged/privilegedServer.ts'
import { RootFolder } from './privileged/rootFolder.ts'
import { startHaproxy } from './privileged/ownHaproxy.ts'
import { idOf } from './lib/accounts.ts'
import { programFolder } from './lib/programFolder.ts'
import { createUnitControl } from './systemd/unitControl.ts'
import { RootProgramHost } from './versions/programHost.ts'
import { removeTree } from './releases/removeTree.ts'
import { downloadFolder, releasesFolder, sharedCertificates } from './layout/dataFolder.ts'
import {
  addressScriptsFolder,
  certificatesFolder,
  configurationFolder,
  dataRoots,
  permitsFile,
  secretsFolder,
} from './layout/folders.ts'
import { agentUser, haproxyUser } from './layout/users.ts'

/** The helper exits after this long without work. systemd starts it again at the next connection. */
const idleMs = 30_000
/** The first descriptor that systemd passes (sd_listen_fds(3)). */
const firstListener = 3

/** Runs the privileged helper: answers on the socket that systemd opened, until it has been idle. */
export async function runPrivileged({ data }: { data: string }): Promise<number> {
  const folder = new RootFolder(data)
  folder.check()
  const [uid, gid] = [await idOf('-u', agentUser), await idOf('-g', agentUser)]
  let opened: RootProgramHost | null = null
  const programs = async (): Promise<RootProgramHost> => (opened ??= await programHost(data))
  const perform = performer({
    ...{ folder, unitFolder, secrets: secretsFolder, permits: permitsFile, releases: releasesFolder(data) },
    units: openUnitHost({
      ...{ unitFolder, environmentFolder: join(folder.path, 'environment') },
      ...{ hidden: [data, configurationFolder], streamsGroup: gid },
    }),
    data: openDataFolders(dataRoots, removeTree),
    addresses: systemdAddressHost({
      files: keepalivedFiles(folder.path),
      guardCommand: guardCommand(folder.path),
      unprivileged: { uid, gid, haproxyGroup: haproxyUser },
    }),
    addressScript: (known, script, addresses) => runAddressScript(addressScriptsFolder, known, script, addresses),
    host: createSystemdHost(join(folder.path, 'maintenance')),
    haproxy: {
      start: () => startHaproxy(data),
      copyCertificates: () => copyPublicCertificates(certificatesFolder, sharedCertificates(data), haproxyUser),
    },
    programs,
    download: downloadFolder(data),
    examine: async (self, settings) => {
      const { examineMachine } = await import('./examine/checkups.ts')
      return examineMachine({ ...{ machine: folder.readMachine().machine, data, secretsFolder, self, settings } })
    },
    now: () => systemClock.now(),
  })
  const over = Promise.withResolvers<void>()
  const server = new PrivilegedServer({ perform, idle: { ms: idleMs, over: over.resolve } })
  process.once('SIGTERM', over.resolve)
  process.once('SIGINT', over.resolve)
  await server.listen(
    process.env['LISTEN_FDS'] === '1' ? { fd: firstListener } : { path: join(data, 'privileged.sock') },
  )
  await over.promise
  await server.close()
  return 0
}

const programHost = (data: string): Promise<RootProgramHost> =>
  RootProgramHost.open({
    ...{ data, unit: agentUnit, units: createUnitControl(), isShared: true },
    beside: { unit: privilegedUnit, words: ['agent', 'privileged', '--data', data] },
    others: [guardUnit],
    own: {
      ...{ folder: programFolder, node: process.execPath, options: process.execArgv },
      words: ['agent', 'run', '--data', data],
    },
  })
