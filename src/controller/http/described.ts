import { jsonSchemaTransform } from 'fastify-type-provider-zod'
import type { z } from 'zod'
import type { CallerRole } from '../../api/operation.ts'
import { problemMediaType, problemSchema } from '../../api/problem.ts'
import { isPeoples } from './refuseUnknown.ts'

/** The refusal that any call may return. */
export const problemResponse = {
  description: 'a refusal with a stable code; docs/errors.md lists the codes',
  content: { [problemMediaType]: { schema: problemSchema } },
}

export const eventsOf = (data: z.ZodType): object => ({
  description: 'the data of each message is one JSON object of this schema; heartbeats are comments',
  content: { 'text/event-stream': { schema: data } },
})

type Transform = typeof jsonSchemaTransform

/** Describes a call for the OpenAPI document: bodies of users' calls accept no field that is not described. */
export const described: Transform = (document) => {
  const transformed = jsonSchemaTransform(document)
  const { body } = transformed.schema as { body?: unknown } // made by the line above
  if (isOfPeople(document.schema)) closed(body)
  return transformed
}

/** The roles that may make the call, as a field of the document. */
export const callersOf = (role: CallerRole): { 'x-callers': CallerRole } => ({ 'x-callers': role })

const isOfPeople = (schema: unknown): boolean =>
  isPeoples((schema as Partial<ReturnType<typeof callersOf>> | undefined)?.['x-callers'] ?? 'agent') // set above

function closed(schema: unknown): void {
  if (typeof schema !== 'object' || schema === null) return
  const object = schema as Record<string, unknown> // JSON
  if (object['type'] === 'object' && 'properties' in object) object['additionalProperties'] = false
  for (const inside of Object.values(object)) closed(inside)
}
