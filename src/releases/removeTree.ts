import { chmod, lstat, readdir, rmdir, unlink } from 'node:fs/promises'
import { inParallel } from '../lib/inParallel.ts'

const parallelUnlinks = 16

/**
 * Removes a file or folder even if it is read-only, like a release's folders; symlinks are removed, never followed.
 * `fs.rm` would give up at the first folder without write permission, and keep removing in the background. An entry
 * that another process removes meanwhile counts as removed.
 */
export async function removeTree(path: string): Promise<void> {
  await remove(Buffer.from(path))
}

/** Paths are bytes: names that an instance wrote into its folder need not be UTF-8. */
async function remove(path: Buffer): Promise<void> {
  const stats = await lstat(path).catch(ignoreAbsence)
  if (!stats) return
  if (stats.isDirectory()) await removeFolder(path, stats.mode)
  else await unlink(path).catch(ignoreAbsence)
}

async function removeFolder(path: Buffer, mode: number): Promise<void> {
  if ((mode & 0o700) !== 0o700) await chmod(path, 0o700).catch(ignoreAbsence)
  const entries = await readdir(path, { withFileTypes: true, encoding: 'buffer' }).catch(ignoreAbsence)
  if (!entries) return
  for (const entry of entries) if (entry.isDirectory()) await remove(below(path, entry.name))
  const others = entries.filter((entry) => !entry.isDirectory())
  await inParallel(
    others,
    ({ name }) => unlink(below(path, name)).then(() => undefined, ignoreAbsence),
    parallelUnlinks,
  )
  await rmdir(path).catch(ignoreAbsence)
}

const below = (folder: Buffer, name: Buffer): Buffer => Buffer.concat([folder, Buffer.from('/'), name])

function ignoreAbsence(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error // node:fs throws only such errors
}
