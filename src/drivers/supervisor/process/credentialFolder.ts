import { chownSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { InstanceSpec } from '../supervisor.ts'
import type { ProcessHouse } from './processHouse.ts'

const folderOf = ({ runFolder }: ProcessHouse, id: string): string => join(runFolder, `${id}.credentials`)

/** Writes the secrets of a program to a folder that only its user can read, and names it in its environment. */
export function withCredentials(house: ProcessHouse, spec: InstanceSpec): InstanceSpec {
  const values = spec.secrets?.values
  if (values === undefined) return spec
  const { runAs } = house
  const folder = folderOf(house, spec.id)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { mode: 0o700 })
  const own = (path: string): void => runAs && chownSync(path, runAs.uid, runAs.gid)
  for (const [name, value] of Object.entries(values.files)) {
    const path = join(folder, name)
    writeFileSync(path, value, { mode: 0o400 })
    own(path)
  }
  own(folder)
  return { ...spec, env: { ...spec.env, ...values.env, CREDENTIALS_DIRECTORY: folder } }
}

export function removeCredentials(house: ProcessHouse, id: string): void {
  rmSync(folderOf(house, id), { recursive: true, force: true })
}
