import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { SecretFile } from '../doctor/machineFacts.ts'

/** The modes of what nobody else may read: files, and those in folders; `ending` keeps to files that end so. */
export function secretFiles(places: { path: string; ending?: string }[]): SecretFile[] {
  return places
    .filter(({ path }) => existsSync(path))
    .flatMap(({ path, ending = '' }) =>
      statSync(path).isDirectory()
        ? readdirSync(path)
            .filter((name) => name.endsWith(ending))
            .map((name) => join(path, name))
        : [path],
    )
    .map((path) => {
      const { mode, uid } = statSync(path)
      return { path, mode: mode & 0o7777, isOurs: uid === process.getuid?.() }
    })
}
