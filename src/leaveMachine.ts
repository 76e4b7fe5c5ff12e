import { existsSync, lstatSync, readdirSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Programs } from './cli/programs.ts'
import { addressRunDir, keepalivedFiles } from './drivers/address/keepalived/keepalivedFiles.ts'
import { systemdAddressHost } from './drivers/address/keepalived/systemdAddressHost.ts'
import { listUnits, openUnitFiles } from './drivers/supervisor/systemd/unitFiles.ts'
import { dataRoots } from './drivers/supervisor/systemd/systemdSupervisor.ts'
import { exec } from './lib/exec.ts'
import { programFolder } from './lib/programFolder.ts'
import { endLeftovers } from './privileged/endLeftovers.ts'
import { privilegedService, privilegedSocketUnit } from './privileged/partUnits.ts'
import { agentUser, haproxyUser } from './privileged/setUp.ts'
import { RootFolder } from './privileged/rootFolder.ts'
import { OperatorError } from './lib/operatorError.ts'
import { removeUnit, stopUnit, systemctl, unitFolder } from './lib/systemdUnits.ts'
import { removeTree } from './releases/removeTree.ts'
import { createPartUnits } from './versions/partUnits.ts'
import { helperOf } from './versions/programHost.ts'

type Leaving = Parameters<Programs['leaveMachine']>[0]
type Left = Awaited<ReturnType<Programs['leaveMachine']>>

const agentUnit = 'tandem-agent.service'
const haproxyUnit = 'tandem-haproxy.service'
/** Of the root part alone. Environments and keepalived's configuration, beside them, are used by what goes on. */
const rootFiles = ['machine.json', 'orders.json', 'authority.pem', 'maintenance']
/** Of the agent alone; nothing that runs uses them. */
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
 * Takes Tandem off this machine; what runs goes on by systemd, HAProxy and keepalived alone. Every step may be done again:
 * a call that was cut off is finished by the next.
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
    // Last: they say that this machine had joined.
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

/** The agent and its root part, with what an upgrade has made of them. */
async function removeParts(): Promise<void> {
  const parts = [agentUnit, privilegedSocketUnit, privilegedService]
  // The trial last as well: until the others have ended, they may start it again.
  for (const unit of [helperOf(agentUnit), ...parts, helperOf(agentUnit)]) await removeUnit(unit)
  for (const unit of parts) await createPartUnits().useCommand(unit, null)
  // What the agent has started and left could still change folders that root removes now.
  await endLeftovers(agentUnit)
}

const others = (): string[] =>
  [haproxyUnit, 'tandem-keepalived.service'].filter((unit) => existsSync(join(unitFolder, unit)))

/** What services kept is not removed, and not left behind, without a word about it. */
function refuseUnsaid({ serviceData }: Leaving): void {
  const kept = servicesWithData()
  if (serviceData !== null || kept.length === 0) return
  throw new OperatorError('E_USAGE', `services have data here: ${kept.join(', ')}`, {
    subject: dataRoots[0] ?? '',
    next: 'say what becomes of it: --purge --remove-data   or   --purge --keep-data',
  })
}

const servicesWithData = (): string[] => dataFolders().map((path) => basename(path))

/** That hold something. Below the first root; where a service runs as a user of the machine, below the second, which has links too. */
const dataFolders = (): string[] =>
  dataRoots.flatMap((root) =>
    (existsSync(root) ? readdirSync(root) : [])
      .map((name) => join(root, name))
      .filter((path) => lstatSync(path).isDirectory() && readdirSync(path).length > 0),
  )

/** What `--purge` leaves on the machine, where, and how to remove it. */
async function whatStays(): Promise<Left['stays']> {
  const users: string[] = []
  for (const user of [agentUser, haproxyUser]) if ((await exec(['id', '-u', user])).code === 0) users.push(user)
  const controllerUnit = join(unitFolder, 'tandem-controller.service')
  const isPackage = programFolder === packageFolder
  return [
    { what: 'the program', where: programFolder, remove: isPackage ? 'apt remove tandem' : `rm -r ${programFolder}` },
    ...users.map((user) => ({ what: 'a user, which owns nothing any more', where: user, remove: `userdel ${user}` })),
    ...(existsSync(etcFolder)
      ? [{ what: 'secrets, certificates and scripts', where: etcFolder, remove: `rm -r ${etcFolder}` }]
      : []),
    ...dataFolders().map((where) => ({ what: `data of ${basename(where)}`, where, remove: `rm -r ${where}` })),
    ...(existsSync(dataLinks) ? [{ what: 'links to that data', where: dataLinks, remove: `rm -r ${dataLinks}` }] : []),
    ...(existsSync(controllerUnit)
      ? [{ what: "the cluster's controller, which goes on", where: controllerUnit, remove: null }]
      : []),
    { what: 'output of services', where: 'the journal, until journald drops it', remove: null },
  ]
}

/** Where the Debian package puts it. */
const packageFolder = '/usr/lib/tandem'
const etcFolder = '/etc/tandem'
const dataLinks = dataRoots[1] ?? ''

const nothingThere = (data: string): OperatorError =>
  new OperatorError('E_USAGE', `there is no agent here: neither ${agentUnit} nor ${data}`, {
    subject: data,
    next: 'is its data folder another one? --data DIR names it',
  })
