import { createHash, sign, verify, X509Certificate } from 'node:crypto'
import { z } from 'zod'
import { certificateFacts, isSignedBy } from './certificate.ts'

/**
 * An order that only the controller may give to a machine's privileged helper: a script, a restart, another cluster
 * file, another version of Tandem, the programs and secrets of a service. The agent passes the order on and cannot make one: the order is signed with the key
 * of the controller's certificate, over all these fields and the content.
 */
export const orderSchema = z.strictObject({
  machine: z.string().max(100),
  kind: z.enum(['script', 'restart', 'settings', 'program', 'secrets', 'service', 'command']),
  /** Id of the maintenance, of the step of the upgrade or of a person's command, or name of the service; empty for settings. */
  id: z.string().max(200),
  attempt: z.int().nonnegative(),
  /** Position in the controller's log: an order older than one already obeyed is refused. */
  term: z.int().nonnegative(),
  position: z.int().nonnegative(),
  /** SHA-256 of the content, hex. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
})
const signedSchema = z.strictObject({
  order: orderSchema,
  /** Certificate of the controller, PEM. */
  certificate: z.string().max(20_000),
  /** ECDSA with SHA-256, base64. */
  signature: z.string().max(2_000),
})

export type Order = z.infer<typeof orderSchema>

/** Longest text of a signed order, in characters. */
export const longestOrder = 32_768

export const contentHash = (content: unknown): string =>
  createHash('sha256').update(JSON.stringify(content)).digest('hex')

/** Signed content of each kind: exactly the values that the privileged helper acts on. A restart has no content. */
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

export const secretsContent = ({ content, values }: { content: string; values: string | null }): unknown => [
  content,
  values,
]

/** Returns the signed order as one line of JSON. */
export function signOrder(order: Order, by: { key: string; certificate: string }): string {
  const signature = sign('sha256', signedBytes(order), by.key).toString('base64')
  return JSON.stringify({ order, certificate: by.certificate, signature })
}

/**
 * Returns the order if this authority's controller signed it for this content with a valid certificate. Throws the
 * reason otherwise.
 */
export function verifiedOrder(
  signed: string,
  expected: { authority: string; machine: string; kind: Order['kind']; content: unknown; now: number },
): Order {
  const { order, certificate, signature } = signedSchema.parse(JSON.parse(signed))
  const { authority, machine, kind, content, now } = expected
  const facts = certificateFacts(certificate)
  const wrong = [
    isSignedBy(certificate, authority) ? null : 'the certificate of the order was not issued by this cluster',
    facts.role === 'controller'
      ? null
      : `the certificate of the order belongs to a ${facts.role}, not to the controller`,
    facts.notAfter > now && facts.notBefore <= now
      ? null
      : 'the certificate of the order has expired or is not yet valid',
    verify('sha256', signedBytes(order), new X509Certificate(certificate).publicKey, Buffer.from(signature, 'base64'))
      ? null
      : 'the signature of the order does not match',
    order.machine === machine ? null : `the order is meant for machine ${order.machine}`,
    order.kind === kind ? null : `the order is meant for a ${order.kind}`,
    order.sha256 === contentHash(content) ? null : 'the order is meant for another content',
  ].find((one) => one !== null)
  if (wrong) throw new Error(wrong)
  return order
}

/** Uses a fixed order of fields, so that the same order always gives the same bytes. */
const signedBytes = ({ machine, kind, id, attempt, term, position, sha256 }: Order): Buffer =>
  Buffer.from(JSON.stringify(['tandem order 1', machine, kind, id, attempt, term, position, sha256]))
