import { chownSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { InstanceSpec } from '../supervisor.ts'
import type { ProcessHouse } from './processHouse.ts'

const credentialsFolder = ({ runFolder }: ProcessHouse, id: string): string => join(runFolder, `${id}.credentials`)

export const filesFolder = ({ runFolder }: ProcessHouse, id: string): string => join(runFolder, `${id}.files`)

/** Writes the secrets and the files of a program to folders that only its user can read. */
export function withCredentials(house: ProcessHouse, spec: InstanceSpec): InstanceSpec {
  if (spec.files?.contents) writeFolder(house, filesFolder(house, spec.id), spec.files.contents)
  const values = spec.secrets?.values
  if (values === undefined) return spec
  const folder = credentialsFolder(house, spec.id)
  writeFolder(house, folder, values.files)
  return { ...spec, env: { ...spec.env, ...values.env, CREDENTIALS_DIRECTORY: folder } }
}

function writeFolder({ runAs }: ProcessHouse, folder: string, files: Record<string, Uint8Array>): void {
  const own = (path: string): void => runAs && chownSync(path, runAs.uid, runAs.gid)
  rmSync(folder, { recursive: true, force: true })
  const folders = new Set([folder])
  mkdirSync(folder, { mode: 0o700 })
  for (const [name, value] of Object.entries(files)) {
    const path = join(folder, name)
    for (let above = dirname(path); !folders.has(above); above = dirname(above)) folders.add(above)
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    writeFileSync(path, value, { mode: 0o400 })
    own(path)
  }
  for (const each of folders) own(each)
}

export function removeCredentials(house: ProcessHouse, id: string): void {
  for (const folder of [credentialsFolder(house, id), filesFolder(house, id)])
    rmSync(folder, { recursive: true, force: true })
}
