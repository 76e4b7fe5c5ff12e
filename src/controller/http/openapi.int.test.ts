import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { basePath, operations, streams } from '../../api/contract.ts'
import { makeFolder } from '../testing/given.ts'
import { runController, type TestController } from '../testing/runningController.ts'

let folder: ReturnType<typeof makeFolder>
let controller: TestController
let served: { openapi: string; paths: Record<string, Record<string, { operationId?: string }>> }
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
  expect(new Set(described)).toEqual(new Set([...Object.keys(operations), ...Object.keys(streams)]))
})

it('docs/openapi.json is what is served (write it anew: vitest run src/controller/http/openapi.int.test.ts -u)', async () => {
  const path = join(import.meta.dirname, '../../../docs/openapi.json')
  await expect(`${JSON.stringify(served, null, 2)}\n`).toMatchFileSnapshot(path)
})
