import type { Encrypter } from 'age-encryption'
import { OperatorError } from '../lib/operatorError.ts'

// The library is large, and few commands need it.

/** Encrypts a stream to these public keys (age-encryption.org/v1); each of them can open it, also with the program `age`. */
export async function encryptedTo(
  recipients: readonly string[],
  plain: ReadableStream<Uint8Array>,
): Promise<ReadableStream<Uint8Array>> {
  return (await encrypterTo(recipients)).encrypt(plain)
}

/** A short text, encrypted to one public key, as lines of printable characters. */
export async function armoredTo(recipient: string, text: string): Promise<string> {
  const { armor } = await import('age-encryption')
  return armor.encode(await textTo(recipient, text))
}

/** The same, in binary form. */
export async function textTo(recipient: string, text: string): Promise<Uint8Array> {
  return (await encrypterTo([recipient])).encrypt(text)
}

async function encrypterTo(recipients: readonly string[]): Promise<Encrypter> {
  const age = await import('age-encryption')
  const encrypter = new age.Encrypter()
  for (const one of recipients) {
    try {
      encrypter.addRecipient(one)
    } catch (cause) {
      throw new OperatorError('E_USAGE', `"${one.slice(0, 80)}" is no public key of age`, {
        subject: 'public key',
        next: 'copy the whole line that age-keygen printed: age1…',
        cause,
      })
    }
  }
  return encrypter
}

/** `identities`: the text of a file that `age-keygen` wrote. The stream fails if the content is damaged or cut off. */
export async function decryptedWith(
  identities: string,
  content: ReadableStream<Uint8Array>,
): Promise<ReadableStream<Uint8Array>> {
  const { Decrypter } = await import('age-encryption')
  const decrypter = new Decrypter()
  const keys = identities.split('\n').filter((line) => line.startsWith('AGE-SECRET-KEY-'))
  if (keys.length === 0)
    throw new OperatorError('E_USAGE', 'the file has no secret key of age', {
      subject: '--identity',
      next: 'give the file that age-keygen wrote, with a line AGE-SECRET-KEY-…',
    })
  try {
    for (const key of keys) decrypter.addIdentity(key.trim())
    return await decrypter.decrypt(content)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new OperatorError('E_BACKUP', `the backup does not open with this key: ${why}`, {
      subject: '--identity',
      next: 'use the secret key of one of the public keys that stood under recovery: when the backup was made',
      cause,
    })
  }
}
