import { closeSync, fstatSync, openSync, read as readFd } from 'node:fs'
import { promisify } from 'node:util'
import type { LogLine } from '../supervisor.ts'
import { olderFile } from './rotatingFile.ts'
import { parseLine } from './storedLine.ts'

const blockBytes = 64 * 1024
const newline = 0x0a

/**
 * The output that one instance had written at one moment. The files stay open, so that rotation and removal do not
 * affect a reader.
 */
export interface LogSource {
  /** The lines in order. Each call starts again. */
  forward(): AsyncGenerator<LogLine[]>
  /** The lines in blocks from the end; the lines of a block are in order. */
  backward(): AsyncGenerator<LogLine[]>
  close(): void
}

interface Segment {
  fd: number
  bytes: number
}

/** `bytes`: the length of the current file to read; later bytes are still being written. `null`: the whole file. */
export function openLogSource(file: string, service: string, instance: string, bytes: number | null): LogSource {
  const segments: Segment[] = []
  for (const [name, limit] of [
    [olderFile(file), null],
    [file, bytes],
  ] as const) {
    const fd = openIf(name)
    if (fd !== null) segments.push({ fd, bytes: limit ?? fstatSync(fd).size })
  }
  const parse = (block: Buffer): LogLine[] =>
    block
      .toString('utf8')
      .split('\n')
      .map((text) => parseLine(text, service, instance))
      .filter((line) => line !== null)

  return {
    forward: async function* () {
      for (const segment of segments) for await (const block of blocksForward(segment)) yield parse(block)
    },
    backward: async function* () {
      for (const segment of segments.toReversed()) for await (const block of blocksBackward(segment)) yield parse(block)
    },
    close: () => {
      for (const { fd } of segments) closeSync(fd)
    },
  }
}

/** Blocks of whole lines. */
async function* blocksForward({ fd, bytes }: Segment): AsyncGenerator<Buffer> {
  let rest = Buffer.alloc(0)
  for (let at = 0; at < bytes; at += blockBytes) {
    const block = Buffer.concat([rest, await readAt(fd, at, Math.min(blockBytes, bytes - at))])
    const end = block.lastIndexOf(newline) + 1
    if (end > 0) yield block.subarray(0, end)
    rest = block.subarray(end)
  }
  if (rest.length > 0) yield rest
}

async function* blocksBackward({ fd, bytes }: Segment): AsyncGenerator<Buffer> {
  let rest = Buffer.alloc(0)
  for (let end = bytes; end > 0; end -= blockBytes) {
    const start = Math.max(0, end - blockBytes)
    const block = Buffer.concat([await readAt(fd, start, end - start), rest])
    const first = start === 0 ? 0 : block.indexOf(newline) + 1
    if (first === 0 && start > 0) {
      rest = block
      continue
    }
    yield block.subarray(first)
    rest = block.subarray(0, first)
  }
}

async function readAt(fd: number, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length)
  const { bytesRead } = await promisify(readFd)(fd, buffer, 0, length, position)
  return buffer.subarray(0, bytesRead)
}

function openIf(file: string): number | null {
  try {
    return openSync(file, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null // the error type of fs
    throw error
  }
}
