import { OperatorError } from '../lib/operatorError.ts'

/**
 * A blob is a whole file or a chunk of a file, a tree is a folder, a manifest is a release. The kind is part of the
 * key: a file whose content looks like a tree must never count as a tree, because a tree in a store guarantees that
 * everything below it is there.
 */
export type ObjectKind = 'blob' | 'tree' | 'manifest'
export type ObjectKey = `${ObjectKind}/${string}`

export const objectKinds = ['blob', 'tree', 'manifest'] as const
const keyForm = /^(blob|tree|manifest)\/([0-9a-f]{64})$/

export function objectKey(kind: ObjectKind, id: string): ObjectKey {
  return `${kind}/${id}`
}

/** Splits a key; `E_USAGE` for an invalid key, since keys arrive from the network. */
export function splitKey(key: string): { kind: ObjectKind; id: string } {
  const match = keyForm.exec(key)
  if (!match) throw new OperatorError('E_USAGE', 'this is not the key of an object', { subject: key.slice(0, 80) })
  return { kind: match[1] as ObjectKind, id: match[2] as string } // both groups are in every match
}

export const isHash = (text: unknown): text is string => typeof text === 'string' && /^[0-9a-f]{64}$/.test(text)
