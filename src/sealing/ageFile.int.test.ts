import { generateIdentity, identityToRecipient } from 'age-encryption'
import { expect, it } from 'vitest'
import { decryptedWith, encryptedTo } from './ageFile.ts'

const streamOf = (...parts: Uint8Array[]): ReadableStream<Uint8Array> => ReadableStream.from(parts)
const bytesOf = async (stream: ReadableStream<Uint8Array>): Promise<Buffer> =>
  Buffer.from(await new Response(stream as never).arrayBuffer())

it('opens with each of the keys to which it was encrypted, and with no other', async () => {
  const identities = await Promise.all([1, 2, 3].map(() => generateIdentity()))
  const recipients = await Promise.all(identities.slice(0, 2).map(identityToRecipient))
  const plain = Buffer.alloc(200_000, 'tandem ')
  const sealed = await bytesOf(await encryptedTo(recipients, streamOf(plain.subarray(0, 7), plain.subarray(7))))
  expect(sealed.subarray(0, 21).toString()).toBe('age-encryption.org/v1')
  for (const identity of identities.slice(0, 2)) {
    const file = `# created: today\n# public key: …\n${identity}\n`
    expect((await bytesOf(await decryptedWith(file, streamOf(sealed)))).equals(plain)).toBe(true)
  }
  await expect(decryptedWith(identities[2] ?? '', streamOf(sealed))).rejects.toMatchObject({ code: 'E_BACKUP' })
  await expect(decryptedWith('', streamOf(sealed))).rejects.toMatchObject({ code: 'E_USAGE' })
})

it('fails when a byte is changed or the end is missing', async () => {
  const identity = await generateIdentity()
  const sealed = await bytesOf(
    await encryptedTo([await identityToRecipient(identity)], streamOf(Buffer.alloc(200_000))),
  )
  const changed = Buffer.from(sealed)
  changed[150_000]! ^= 1
  for (const content of [changed, sealed.subarray(0, 150_000), sealed.subarray(0, 30)])
    await expect(decryptedWith(identity, streamOf(content)).then(bytesOf)).rejects.toThrow(/./)
})
