import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { operations, streams } from '../../api/contract.ts'
import { basePath } from '../../api/operation.ts'
import { makeFolder } from '../testing/given.ts'
import { runController, type TestController } from '../testing/runningController.ts'

let folder: ReturnType<typeof makeFolder>
let controller: TestController
let served: { openapi: string; paths: Record<string, Record<string, { operationId?: string; 'x-callers'?: string }>> }
beforeAll(async () => {
  folder = makeFolder('openapi')
  controller = await runController(folder.path)
  served = (await (await fetch(`${controller.url}${basePath}/openapi.json`)).json()) as typeof served
})
afterAll(async () => {
  await controller.close()
  folder.remove()
})

it('is OpenAPI 3.1 and describes every call and stream', () => {
  expect(served.openapi).toMatch(/^3\.1\./)
  const described = Object.values(served.paths).flatMap((path) => Object.values(path).map((one) => one.operationId))
  expect(new Set(described)).toEqual(new Set([...Object.keys(operations), ...Object.keys(streams), 'channel']))
})

it('describes the answer of each call, and that bodies of users accept no other field', () => {
  for (const [path, methods] of Object.entries(served.paths)) {
    for (const call of Object.values(methods)) {
      const { responses, requestBody } = call as {
        responses?: Record<string, { content?: object }>
        requestBody?: unknown
      } // OpenAPI's
      expect(Object.keys(responses?.['default']?.content ?? {}), path).toEqual(['application/problem+json'])
      const isAgents = call['x-callers'] === 'agent' || call['x-callers'] === 'joiner'
      if (!isAgents) expect(openObjects(requestBody), path).toEqual([])
    }
  }
})

it('docs/openapi.json matches the served document (to update it: vitest run src/controller/http/openapi.int.test.ts -u)', async () => {
  const path = join(import.meta.dirname, '../../../docs/openapi.json')
  await expect(`${JSON.stringify(served, null, 2)}\n`).toMatchFileSnapshot(path)
})

/** Objects with fields, at any depth, that accept other fields as well. */
function openObjects(schema: unknown): unknown[] {
  if (typeof schema !== 'object' || schema === null) return []
  const object = schema as Record<string, unknown> // JSON
  const isOpen = object['type'] === 'object' && 'properties' in object && object['additionalProperties'] !== false
  return [...(isOpen ? [object] : []), ...Object.values(object).flatMap(openObjects)]
}
