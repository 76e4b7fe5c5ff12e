import { z } from 'zod'
import { basePath } from './operation.ts'
import type { Operation } from './operation.ts'

const descriptionSchema = z.object({ paths: z.record(z.string(), z.record(z.string(), z.unknown())) })
const callSchema = z.object({ parameters: z.array(z.object({ in: z.string(), name: z.string() })).default([]) })

/**
 * Whether a controller takes `?dryRun=true` for a call, by the OpenAPI document that it serves. A controller from
 * before dry runs ignores the parameter and carries the call out.
 */
export function knowsDryRun(document: unknown, { method, path }: Operation): boolean {
  const description = descriptionSchema.safeParse(document)
  const url = `${basePath}${path.replaceAll(/:(\w+)/g, '{$1}')}`
  const call = callSchema.safeParse(description.data?.paths[url]?.[method.toLowerCase()])
  return call.data?.parameters.some((one) => one.in === 'query' && one.name === 'dryRun') ?? false
}
