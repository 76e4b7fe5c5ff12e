import { createHash, sign, verify, X509Certificate } from 'node:crypto'
import { z } from 'zod'
import { certificateFacts, isSignedBy } from './certificate.ts'

/**
 * What only the controller may ask of a machine's root part: a script, a restart, another cluster file, another Tandem. The agent hands it
 * on and cannot make one: it is signed with the key of the controller's certificate, over all of this and the content.
 */
export const orderSchema = z.strictObject({
  machine: z.string().max(100),
  kind: z.enum(['script', 'restart', 'settings', 'program']),
  /** Of the maintenance; of the upgrade's piece; empty for settings. */
  id: z.string().max(200),
  attempt: z.int().nonnegative(),
  /** When, in the controller's log: an order older than one that was obeyed is refused. */
  term: z.int().nonnegative(),
  position: z.int().nonnegative(),
  /** Of the content, hex. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
})
const signedSchema = z.strictObject({
  order: orderSchema,
  /** Of the controller, PEM. */
  certificate: z.string().max(20_000),
  /** ECDSA with SHA-256, base64. */
  signature: z.string().max(2_000),
})

export type Order = z.infer<typeof orderSchema>

/** Longest that one is as text. */
export const longestOrder = 32_768

export const contentHash = (content: unknown): string =>
  createHash('sha256').update(JSON.stringify(content)).digest('hex')

/** What is signed of each kind: exactly what the root part acts by. A restart has no content. */
export const scriptContent = (script: { name: string; text: string; withinMs: number }): unknown => [
  script.name,
  script.text,
  script.withinMs,
]
export const settingsContent = ({ address, addresses }: { address: string; addresses: readonly string[] }): unknown => [
  address,
  addresses,
]

export const programContent = (program: { release: string | null; version: string }): unknown => [
  program.release,
  program.version,
]

/** One line of JSON. */
export function signOrder(order: Order, by: { key: string; certificate: string }): string {
  const signature = sign('sha256', signedBytes(order), by.key).toString('base64')
  return JSON.stringify({ order, certificate: by.certificate, signature })
}

/** The order, if this authority's controller signed it for this content, now or lately. Throws with what is wrong with it. */
export function verifiedOrder(
  signed: string,
  expected: { authority: string; machine: string; kind: Order['kind']; content: unknown; now: number },
): Order {
  const { order, certificate, signature } = signedSchema.parse(JSON.parse(signed))
  const { authority, machine, kind, content, now } = expected
  const facts = certificateFacts(certificate)
  const wrong = [
    isSignedBy(certificate, authority) ? null : 'its certificate is not of this cluster',
    facts.role === 'controller' ? null : `its certificate is of a ${facts.role}, not of the controller`,
    facts.notAfter > now && facts.notBefore <= now ? null : 'its certificate has expired, or is of tomorrow',
    verify('sha256', signedBytes(order), new X509Certificate(certificate).publicKey, Buffer.from(signature, 'base64'))
      ? null
      : 'its signature does not match',
    order.machine === machine ? null : `it is for machine ${order.machine}`,
    order.kind === kind ? null : `it is for a ${order.kind}`,
    order.sha256 === contentHash(content) ? null : 'it is for another content',
  ].find((one) => one !== null)
  if (wrong) throw new Error(wrong)
  return order
}

/** In a fixed order, so that the same order is the same bytes. */
const signedBytes = ({ machine, kind, id, attempt, term, position, sha256 }: Order): Buffer =>
  Buffer.from(JSON.stringify(['tandem order 1', machine, kind, id, attempt, term, position, sha256]))
