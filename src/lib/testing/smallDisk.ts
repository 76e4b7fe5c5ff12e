import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, truncateSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export type SmallDiskKind = 'tmpfs' | 'ext4'

/** A separate file system, so small that a test can really fill it. */
export interface SmallDisk {
  path: string
  /** Takes every remaining byte. */
  fill(): void
  makeRoom(): void
  remove(): void
}

/**
 * Makes a file system of `bytes`, mounted at `at` or at a new folder. ext4 reserves nothing for root, and a folder
 * takes a block there.
 */
export function openSmallDisk(kind: SmallDiskKind, bytes: number, at?: string): SmallDisk {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-disk-'))
  const path = at ?? folder
  const image = `${folder}.img`
  if (kind === 'tmpfs') run('mount', '-t', 'tmpfs', '-o', `size=${bytes}`, 'tandem-test', path)
  else {
    closeSync(openSync(image, 'w'))
    truncateSync(image, bytes)
    run('mkfs.ext4', '-q', '-m', '0', image)
    run('mount', '-o', 'loop', image, path)
  }
  const filler = join(path, 'filler')
  return {
    path,
    fill: () => {
      writeFileSync(filler, '')
      const fd = openSync(filler, 'a')
      try {
        // Ever smaller pieces: a write that does not fit as a whole may write nothing.
        for (const piece of [1_048_576, 4_096, 1].map((size) => Buffer.alloc(size))) {
          while (takes(fd, piece));
        }
      } finally {
        closeSync(fd)
      }
    },
    makeRoom: () => rmSync(filler, { force: true }),
    remove: () => {
      run('umount', '--lazy', path)
      rmSync(folder, { recursive: true, force: true })
      rmSync(image, { force: true })
    },
  }
}

/** Returns why such a disk cannot be made on this machine; empty if it can. */
export function whyNoSmallDisk(kind: SmallDiskKind): string {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'root on Linux can mount one'
  try {
    openSmallDisk(kind, 8 * 1_048_576).remove()
    return ''
  } catch (error) {
    return error instanceof Error ? error.message.trim() : String(error)
  }
}

function takes(fd: number, piece: Buffer): boolean {
  try {
    return writeSync(fd, piece) > 0
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOSPC') return false
    throw error
  }
}

const run = (...[command = '', ...args]: string[]): void => void execFileSync(command, args, { stdio: 'pipe' })
