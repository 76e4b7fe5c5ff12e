import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { SecretFile } from '../doctor/machineFacts.ts'

export interface SecretPlace {
  path: string
  ending?: string
  mayReadByGroup?: boolean
}

/**
 * The modes of files that only their owner may read: given files, and those in given folders. `ending` selects files by
 * their ending. `owners` are users who may own the files besides the current user.
 */
export function secretFiles(places: SecretPlace[], owners: readonly number[] = []): SecretFile[] {
  return places
    .filter(({ path }) => existsSync(path))
    .flatMap(({ path, ending = '', mayReadByGroup = false }) =>
      statSync(path).isDirectory()
        ? readdirSync(path)
            .filter((name) => name.endsWith(ending))
            .map((name) => ({ path: join(path, name), mayReadByGroup }))
        : [{ path, mayReadByGroup }],
    )
    .map(({ path, mayReadByGroup }) => {
      const { mode, uid } = statSync(path)
      const shown = mode & (mayReadByGroup ? 0o7737 : 0o7777)
      return { path, mode: shown, isOurs: uid === process.getuid?.() || owners.includes(uid) }
    })
}
