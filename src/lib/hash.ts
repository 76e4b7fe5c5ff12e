import { createHash } from 'node:crypto'

/** The sha256 of `bytes`, as 64 lowercase hex digits: what `sha256sum` prints. */
export function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex')
}
