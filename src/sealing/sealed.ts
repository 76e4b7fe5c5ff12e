import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto'

// AES-256-GCM (NIST SP 800-38D) with a random nonce of 96 bits. Every value has a key of its own, and a root key wraps
// few keys in comparison to the 2^32 that one key may encrypt.

const cipher = 'aes-256-gcm'
const [nonceBytes, tagBytes] = [12, 16]
export const keyBytes = 32

/** 256 random bits. */
export const newKey = (): Buffer => randomBytes(keyBytes)

/** Names a key without telling anything about it: 16 hex digits. */
export const keyId = (key: Uint8Array): string =>
  createHmac('sha256', key).update('tandem: id of a key').digest('hex').slice(0, 16)

/** Encrypts. `about` is not secret; the result opens only with the same text. */
export function sealed(key: Uint8Array, about: string, plain: Uint8Array): Buffer {
  const nonce = randomBytes(nonceBytes)
  const box = createCipheriv(cipher, key, nonce, { authTagLength: tagBytes }).setAAD(Buffer.from(about))
  const text = Buffer.concat([box.update(plain), box.final()])
  return Buffer.concat([nonce, box.getAuthTag(), text])
}

/** Throws if the content was changed, or sealed with another key or about something else. */
export function opened(key: Uint8Array, about: string, content: Uint8Array): Buffer {
  const [nonce, tag] = [content.subarray(0, nonceBytes), content.subarray(nonceBytes, nonceBytes + tagBytes)]
  const box = createDecipheriv(cipher, key, nonce, { authTagLength: tagBytes })
  box.setAAD(Buffer.from(about)).setAuthTag(tag)
  return Buffer.concat([box.update(content.subarray(nonceBytes + tagBytes)), box.final()])
}

/** The value of one version of a secret, as it is stored. */
export interface SealedValue {
  /** `keyId` of the root key that wraps the value's own key. */
  root: string
  wrapped: Uint8Array
  content: Uint8Array
}

/** Encrypts a value with a key of its own, which the root key wraps. */
export function sealValue(root: Uint8Array, about: string, plain: Uint8Array): SealedValue {
  const own = newKey()
  return { root: keyId(root), wrapped: sealed(root, about, own), content: sealed(own, about, plain) }
}

export const openValue = (root: Uint8Array, about: string, { wrapped, content }: SealedValue): Buffer =>
  opened(opened(root, about, wrapped), about, content)

/** The same value under another root key; its content stays. */
export const rewrapped = (from: Uint8Array, to: Uint8Array, about: string, wrapped: Uint8Array): Buffer =>
  sealed(to, about, opened(from, about, wrapped))
