import { z } from 'zod'
import type { Definition } from '../definitions/definition.ts'
import { isLocal } from '../definitions/routeAccess.ts'
import { sha256 } from '../lib/hash.ts'
import { OperatorError } from '../lib/operatorError.ts'
import { canonicalJson } from './canonicalJson.ts'
import { manifestDefinition } from './manifestDefinition.ts'
import { objectKey, type ObjectKey } from './objectKey.ts'
import { releaseLimits } from './releaseLimits.ts'

/** A release: what runs, and the tree it runs in. Its id is the sha256 of `encodeManifest`'s bytes. */
export interface Manifest {
  format: (typeof manifestFormats)[number]
  service: string
  definition: Definition
  /** Id of the root tree. */
  tree: string
}

/** Since 2 a route may be local. Tandem from before would open its port to everybody, and refuses a format it does not know. */
const manifestFormats = [1, 2] as const

const formatOf = ({ routes, environments }: Definition): Manifest['format'] => {
  const all = [routes ?? [], ...Object.values(environments).map((overlay) => overlay.routes ?? [])].flat()
  return all.some(isLocal) ? 2 : 1
}

const shape = z.object({
  format: z.literal(manifestFormats),
  service: z.string(),
  definition: manifestDefinition,
  tree: z.string().regex(/^[0-9a-f]{64}$/),
})

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

/** Reads what came from the wire or the disk; `E_RELEASE_CONTENT` unless it is a valid manifest in its one form. */
export function parseManifest(bytes: Uint8Array): Manifest {
  if (bytes.length > releaseLimits.objectBytes.manifest) throw refusal('it is too large')
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(bytes).toString())
  } catch (cause) {
    throw refusal('it is not JSON', cause)
  }
  const parsed = shape.safeParse(value)
  if (!parsed.success) throw refusal(z.prettifyError(parsed.error).replaceAll('\n', ' '))
  if (canonicalJson(value) !== Buffer.from(bytes).toString()) throw refusal('it is not in its one form')
  if (parsed.data.format !== formatOf(parsed.data.definition)) throw refusal('its format is not that of its content')
  if (parsed.data.service !== parsed.data.definition.service) throw refusal('its definition is of another service')
  return parsed.data
}

export const releaseIdOf = (manifest: Uint8Array): string => sha256(manifest)

/**
 * The manifest of a release in a store or a machine's cache. `E_RELEASE_GONE` when it is not there, `E_RELEASE_CORRUPT`
 * when it is damaged.
 */
export async function readManifest(store: ObjectReader, id: string): Promise<Manifest> {
  return parseManifest(await store.get(objectKey('manifest', id)))
}

/** Anything that gives an object's verified content. */
export interface ObjectReader {
  get(key: ObjectKey): Promise<Uint8Array>
}

function refusal(why: string, cause?: unknown): OperatorError {
  return new OperatorError('E_RELEASE_CONTENT', `a release's manifest is refused: ${why}`, { cause })
}
