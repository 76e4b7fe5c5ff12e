import { closeSync, fdatasyncSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Replaces a file as a whole and durably: a crash or a full disk at any point leaves either the old content or the new.
 */
export function writeFileDurably(path: string, content: string, mode = 0o600): void {
  const temporary = `${path}.new`
  rmSync(temporary, { force: true }) // a leftover file may have another mode
  withFile(
    temporary,
    'wx',
    (file) => {
      // Not `writeSync`: on a full disk it writes a part and reports that only by its count.
      writeFileSync(file, content)
      fdatasyncSync(file)
    },
    mode,
  )
  renameSync(temporary, path)
  // The new name is on disk only once its folder is synced.
  withFile(dirname(path), 'r', fsyncSync)
}

function withFile(path: string, flags: 'r' | 'wx', use: (file: number) => void, mode = 0o600): void {
  const file = openSync(path, flags, mode)
  try {
    use(file)
  } finally {
    closeSync(file)
  }
}
