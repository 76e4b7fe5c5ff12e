import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { MachineFacts } from '../doctor/machineFacts.ts'
import { certificateFiles } from './certificateFiles.ts'
import { disksHere } from './disksHere.ts'
import { gathered } from './gathered.ts'
import { programVersions } from './programVersions.ts'
import { secretFiles } from './secretFiles.ts'

/** Name of the controller in a checkup of the cluster. No machine may have this name. */
export const controllerName = '(controller)'

/** Facts about the folder in which a controller keeps its log, its releases and the authority. */
export async function controllerFacts(data: string, now: number): Promise<MachineFacts> {
  const identity = join(data, 'identity')
  const nothing = {
    agent: null,
    clock: null,
    ports: null,
    limits: null,
    haproxy: null,
    configurations: [],
    units: null,
  }
  const certificates: MachineFacts['certificates'] = existsSync(join(identity, 'identity.pem'))
    ? await gathered(() => certificateFiles(identity, null, null))
    : null
  return {
    ...{ machine: controllerName, now, ...nothing, certificates },
    programs: await gathered(() => programVersions([])),
    disks: await gathered(() => disksHere([{ path: data, holds: 'store' }])),
    secrets: await gathered(() =>
      secretFiles([{ path: join(data, 'authority') }, { path: identity }, { path: join(data, 'controller.db') }]),
    ),
  }
}
