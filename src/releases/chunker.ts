import { createHash } from 'node:crypto'

/**
 * Content-defined chunking after FastCDC (Xia et al., USENIX ATC 2016): a gear hash over a sliding window of 32 bytes,
 * a stricter mask below the average size and a looser mask above. An insertion moves only the cuts next to it. The
 * numbers are part of the release format: with other numbers, equal files would give different chunks.
 */
export const chunkBytes = { min: 64 * 1024, average: 256 * 1024, max: 1024 * 1024 } as const

const strictMask = 0xfffff000 | 0
const looseMask = 0xffff0000 | 0
const gear = makeGear()

/**
 * Returns the end of the chunk that begins at `start`, at most `end`. The caller passes `max` bytes unless the file
 * ends.
 */
export function cutAfter(bytes: Uint8Array, start: number, end: number): number {
  if (end - start <= chunkBytes.min) return end
  const normal = Math.min(start + chunkBytes.average, end)
  const last = Math.min(start + chunkBytes.max, end)
  let hash = 0
  let at = start + chunkBytes.min
  for (; at < normal; at++) {
    hash = ((hash << 1) + (gear[bytes[at] as number] as number)) | 0 // both indexes are in range
    if ((hash & strictMask) === 0) return at + 1
  }
  for (; at < last; at++) {
    hash = ((hash << 1) + (gear[bytes[at] as number] as number)) | 0 // both indexes are in range
    if ((hash & looseMask) === 0) return at + 1
  }
  return last
}

/** 256 numbers that look random and are the same on every machine. */
function makeGear(): Int32Array {
  const table = new Int32Array(256)
  for (let byte = 0; byte < 256; byte++) {
    table[byte] = createHash('sha256').update(Uint8Array.of(byte)).digest().readInt32LE()
  }
  return table
}
