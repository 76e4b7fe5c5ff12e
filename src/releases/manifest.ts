import { z } from 'zod'
import type { Definition } from '../definitions/definition.ts'
import { definitionSchema } from '../definitions/definitionSchema.ts'
import { isLocal } from '../definitions/routeAccess.ts'
import { sha256 } from '../lib/hash.ts'
import { OperatorError } from '../lib/operatorError.ts'
import { canonicalJson } from './canonicalJson.ts'
import { objectKey, type ObjectKey } from './objectKey.ts'
import { releaseLimits } from './releaseLimits.ts'

/**
 * A release: the definition and the tree it runs in. Its id is the SHA-256 of the bytes that `encodeManifest` returns.
 */
export interface Manifest {
  format: (typeof manifestFormats)[number]
  service: string
  definition: Definition
  /** Id of the root tree. */
  tree: string
}

/** In format 2 a route may be local. An older Tandem would open its port to everybody; it refuses an unknown format. */
const manifestFormats = [1, 2] as const

const formatOf = ({ routes, environments }: Definition): Manifest['format'] => {
  const all = [routes ?? [], ...Object.values(environments).map((overlay) => overlay.routes ?? [])].flat()
  return all.some(isLocal) ? 2 : 1
}

const shapeWith = (definition: z.ZodType<Definition>) =>
  z.object({
    format: z.literal(manifestFormats),
    service: z.string(),
    definition,
    tree: z.string().regex(/^[0-9a-f]{64}$/),
  })
const shape = shapeWith(definitionSchema)

export function encodeManifest(definition: Definition, tree: string): Buffer {
  const manifest: Manifest = { format: formatOf(definition), service: definition.service, definition, tree }
  const bytes = Buffer.from(canonicalJson(manifest))
  if (bytes.length > releaseLimits.objectBytes.manifest) {
    throw new OperatorError('E_RELEASE_CONTENT', 'the definition is too large to publish', {
      subject: definition.service,
      next: `keep it below ${releaseLimits.objectBytes.manifest} bytes`,
    })
  }
  return bytes
}

/**
 * Parses bytes from the network or the disk. `E_RELEASE_CONTENT` unless they are a valid manifest in its canonical
 * form.
 */
export function parseManifest(bytes: Uint8Array, definition = definitionSchema): Manifest {
  if (bytes.length > releaseLimits.objectBytes.manifest) throw refusal('the manifest is too large')
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(bytes).toString())
  } catch (cause) {
    throw refusal('the manifest is not JSON', cause)
  }
  const parsed = (definition === definitionSchema ? shape : shapeWith(definition)).safeParse(value)
  if (!parsed.success) throw refusal(z.prettifyError(parsed.error).replaceAll('\n', ' '))
  if (canonicalJson(value) !== Buffer.from(bytes).toString()) throw refusal('the manifest is not in its canonical form')
  if (parsed.data.format !== formatOf(parsed.data.definition))
    throw refusal('the format number does not match the content')
  if (parsed.data.service !== parsed.data.definition.service) throw refusal('the definition belongs to another service')
  return parsed.data
}

export const releaseIdOf = (manifest: Uint8Array): string => sha256(manifest)

/**
 * Reads the manifest of a release from a store or a machine's cache. `E_RELEASE_GONE` if it is missing,
 * `E_RELEASE_CORRUPT` if it is damaged.
 */
export async function readManifest(store: ObjectReader, id: string): Promise<Manifest> {
  return parseManifest(await store.get(objectKey('manifest', id)))
}

/** Anything that returns an object's verified content. */
export interface ObjectReader {
  get(key: ObjectKey): Promise<Uint8Array>
}

function refusal(why: string, cause?: unknown): OperatorError {
  return new OperatorError('E_RELEASE_CONTENT', `the release's manifest is refused: ${why}`, { cause })
}
