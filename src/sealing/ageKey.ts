/** A key of age: whoever has its public part can encrypt to it. */
export class AgeKey {
  readonly #identity: string
  /** The public key: age1… */
  readonly recipient: string

  private constructor(identity: string, recipient: string) {
    this.#identity = identity
    this.recipient = recipient
  }

  static async make(): Promise<AgeKey> {
    const { generateIdentity } = await import('age-encryption')
    return AgeKey.from(await generateIdentity())
  }

  /** `identity`: AGE-SECRET-KEY-1… */
  static async from(identity: string): Promise<AgeKey> {
    const { identityToRecipient } = await import('age-encryption')
    return new AgeKey(identity, await identityToRecipient(identity))
  }

  /** As `from` takes it. */
  get secret(): string {
    return this.#identity
  }

  /** The text in a file that was encrypted to this key; `file` is base64. Throws if it is damaged, or for another key. */
  async open(file: string): Promise<string> {
    const { Decrypter } = await import('age-encryption')
    const decrypter = new Decrypter()
    decrypter.addIdentity(this.#identity)
    return decrypter.decrypt(Buffer.from(file, 'base64'), 'text')
  }
}
