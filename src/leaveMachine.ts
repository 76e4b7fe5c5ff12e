import { existsSync, lstatSync, readdirSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { EntryPoints } from './cli/entryPoints.ts'
import { addressRunDir, keepalivedFiles } from './drivers/address/keepalived/keepalivedFiles.ts'
import { systemdAddressHost } from './drivers/address/keepalived/systemdAddressHost.ts'
import { listUnits, openUnitFiles } from './drivers/supervisor/systemd/unitFiles.ts'
import { dataRoots } from './drivers/supervisor/systemd/systemdSupervisor.ts'
import { exec } from './lib/exec.ts'
import { programFolder } from './lib/programFolder.ts'
import { endLeftovers } from './privileged/endLeftovers.ts'
import { privilegedService, privilegedSocketUnit } from './privileged/helperUnits.ts'
import { agentUser, haproxyUser } from './privileged/setUp.ts'
import { RootFolder } from './privileged/rootFolder.ts'
import { OperatorError } from './lib/operatorError.ts'
import { removeUnit, stopUnit, systemctl, unitFolder } from './lib/systemdUnits.ts'
import { removeTree } from './releases/removeTree.ts'
import { createUnitControl } from './versions/unitControl.ts'
import { helperOf } from './versions/programHost.ts'

type Leaving = Parameters<EntryPoints['leaveMachine']>[0]
type Left = Awaited<ReturnType<EntryPoints['leaveMachine']>>

const agentUnit = 'tandem-agent.service'
const haproxyUnit = 'tandem-haproxy.service'
/** Files that only the privileged helper uses. Units that continue to run use the other files in its folder. */
const rootFiles = ['machine.json', 'orders.json', 'authority.pem', 'maintenance']
/** Files that only the agent uses; no unit that continues to run needs them. */
const agentFiles = [
  'desired.json',
  'boot.json',
  'ports.json',
  'prepared.json',
  'instances.json',
  'maintenance.json',
  'maintenance',
  'self',
]

/**
 * Removes Tandem from this machine. Its services continue under systemd, HAProxy and keepalived alone. Every step may
 * be repeated, so that a second call finishes an interrupted one.
 */
export async function leaveMachine(leaving: Leaving): Promise<Left> {
  const { data, purge } = leaving
  if (!existsSync(data) && !existsSync(join(unitFolder, agentUnit))) throw nothingThere(data)
  if (purge) refuseUnsaid(leaving)
  await removeParts()
  const root = new RootFolder(data)
  const address = systemdAddressHost({ files: keepalivedFiles(root.exists ? root.path : data), guardCommand: [] })
  const environment = root.exists ? root.path : join(data, 'supervisor')
  const instances = openUnitFiles(unitFolder, join(environment, 'environment'))
  if (!purge) {
    await address.leave()
    for (const name of agentFiles) rmSync(join(data, name), { recursive: true, force: true })
    for (const name of ['objects', 'index']) await removeTree(join(data, 'cache', name))
    for (const name of ['program', 'download']) await removeTree(join(data, name))
    // These files are removed last: they record that this machine has joined.
    for (const name of rootFiles) rmSync(join(root.path, name), { recursive: true, force: true })
    for (const name of ['identity', 'joined.json']) rmSync(join(data, name), { recursive: true, force: true })
    const units = [...listUnits(unitFolder).map(({ unit }) => unit), ...others()]
    return { units, keptData: servicesWithData(), stays: [] }
  }
  for (const { unit, withinMs } of listUnits(unitFolder)) {
    await stopUnit(unit, withinMs)
    instances.remove(unit)
  }
  await removeUnit(haproxyUnit)
  await address.remove()
  for (const folder of ['/run/tandem-haproxy', '/run/tandem', '/run/tandem-agent', addressRunDir])
    rmSync(folder, { recursive: true, force: true })
  if (leaving.serviceData === 'remove' || dataFolders().length === 0)
    for (const root of dataRoots) await removeTree(root)
  await systemctl('daemon-reload')
  await removeTree(data)
  return { units: [], keptData: servicesWithData(), stays: await whatStays() }
}

/** Removes the agent and its privileged helper, with the drop-ins of upgrades. */
async function removeParts(): Promise<void> {
  const parts = [agentUnit, privilegedSocketUnit, privilegedService]
  // The trial unit is removed first and last, because the other units may start it again until they have ended.
  for (const unit of [helperOf(agentUnit), ...parts, helperOf(agentUnit)]) await removeUnit(unit)
  for (const unit of parts) await createUnitControl().useCommand(unit, null)
  // Leftover processes of the agent could still change folders that root removes next.
  await endLeftovers(agentUnit)
}

const others = (): string[] =>
  [haproxyUnit, 'tandem-keepalived.service'].filter((unit) => existsSync(join(unitFolder, unit)))

/** Refuses to purge until the user has decided whether to keep or remove the data of the services. */
function refuseUnsaid({ serviceData }: Leaving): void {
  const kept = servicesWithData()
  if (serviceData !== null || kept.length === 0) return
  throw new OperatorError('E_USAGE', `these services have data on this machine: ${kept.join(', ')}`, {
    subject: dataRoots[0] ?? '',
    next: 'choose one: tandem agent leave --purge --remove-data   or   tandem agent leave --purge --keep-data',
  })
}

const servicesWithData = (): string[] => dataFolders().map((path) => basename(path))

/**
 * Data folders that are not empty. They are below the first root, or below the second if the service runs as a user of
 * the machine. The second root also has links.
 */
const dataFolders = (): string[] =>
  dataRoots.flatMap((root) =>
    (existsSync(root) ? readdirSync(root) : [])
      .map((name) => join(root, name))
      .filter((path) => lstatSync(path).isDirectory() && readdirSync(path).length > 0),
  )

/** Everything that `--purge` leaves on the machine, its place, and the command that removes it. */
async function whatStays(): Promise<Left['stays']> {
  const users: string[] = []
  for (const user of [agentUser, haproxyUser]) if ((await exec(['id', '-u', user])).code === 0) users.push(user)
  const controllerUnit = join(unitFolder, 'tandem-controller.service')
  const isPackage = programFolder === packageFolder
  return [
    { what: 'the program', where: programFolder, remove: isPackage ? 'apt remove tandem' : `rm -r ${programFolder}` },
    ...users.map((user) => ({ what: 'a user that no longer owns anything', where: user, remove: `userdel ${user}` })),
    ...(existsSync(etcFolder)
      ? [{ what: 'secrets, certificates and scripts', where: etcFolder, remove: `rm -r ${etcFolder}` }]
      : []),
    ...dataFolders().map((where) => ({ what: `data of ${basename(where)}`, where, remove: `rm -r ${where}` })),
    ...(existsSync(dataLinks) ? [{ what: 'links to the data', where: dataLinks, remove: `rm -r ${dataLinks}` }] : []),
    ...(existsSync(controllerUnit)
      ? [{ what: "the cluster's controller, which continues to run", where: controllerUnit, remove: null }]
      : []),
    { what: 'output of services', where: 'the journal, until journald drops it', remove: null },
  ]
}

/** Folder in which the Debian package installs the program. */
const packageFolder = '/usr/lib/tandem'
const etcFolder = '/etc/tandem'
const dataLinks = dataRoots[1] ?? ''

const nothingThere = (data: string): OperatorError =>
  new OperatorError('E_USAGE', `there is no agent here: neither ${agentUnit} nor ${data} exists`, {
    subject: data,
    next: 'if the agent has another data folder: tandem agent leave --data DIR',
  })
