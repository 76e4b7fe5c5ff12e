import { closeSync, fdatasyncSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs'

/**
 * The calls that change records on disk. A loss of power can come before and after each of them; a test's disk does
 * that (`testing/lossyDisk.ts`).
 */
export interface Disk {
  /** Creates a file with this content, which is on disk afterwards; its name is not. */
  create(path: string, content: string, mode: number): void
  rename(from: string, to: string): void
  /** A missing file is no error. */
  remove(path: string): void
  /** An existing folder is no error: another process may have made it at the same moment. */
  makeFolder(path: string, mode: number): void
  /** The names in the folder are on disk afterwards. */
  syncFolder(path: string): void
}

export const nodeDisk: Disk = {
  create(path, content, mode) {
    withFile(path, 'wx', mode, (file) => {
      // Not `writeSync`: on a full disk it writes a part and reports that only by its count.
      writeFileSync(file, content)
      fdatasyncSync(file)
    })
  },
  rename: renameSync,
  remove: (path) => rmSync(path, { force: true }),
  makeFolder(path, mode) {
    mkdirSync(path, { mode, recursive: true })
  },
  syncFolder: (path) => withFile(path, 'r', 0, fsyncSync),
}

function withFile(path: string, flags: 'r' | 'wx', mode: number, use: (file: number) => void): void {
  const file = openSync(path, flags, mode)
  try {
    use(file)
  } finally {
    closeSync(file)
  }
}
