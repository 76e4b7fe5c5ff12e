import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { operations, streams } from '../../api/contract.ts'
import { basePath, type Operation, type StreamOperation } from '../../api/operation.ts'
import { problemSchema } from '../../api/problem.ts'
import { makeFolder } from '../testing/given.ts'
import { runController, tokens, type TestController } from '../testing/runningController.ts'

let folder: ReturnType<typeof makeFolder>
let controller: TestController
beforeAll(async () => {
  folder = makeFolder('garbage')
  controller = await runController(folder.path)
})
afterAll(async () => {
  await controller.close()
  folder.remove()
})

const values = [
  ...['', ' ', '-1', '1.5', 'NaN', '1e309', '9'.repeat(400), '../../../etc/passwd', '\0', '__proto__', 'constructor'],
  ...["' OR 1=1 --", '<script>', '\u202e\u0007', 'x'.repeat(4_000), '{"$gt":""}', '2026-99-99T99:99'],
].map(encodeURIComponent)
/** No encoding makes these. */
const malformed = ['%ZZ', '%ff', '%']

const bodies = ['', '{', 'null', '7', '[]', '{}', '"x"', '{"__proto__":{"x":1}}', '['.repeat(50_000), '\0']

interface Sent {
  path: string
  method: string
  role: Operation['role']
  body?: string
}

/** The refusal of a request; `null`: it was accepted. A stream is given up after its head. */
async function refusalOf({ path, method, role, body }: Sent): Promise<string | null> {
  const token = role.startsWith('agent') ? tokens.a : role === 'reader' ? tokens.reader : tokens.operator
  const headers = {
    authorization: `Bearer ${token}`,
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
  }
  const sent = request({
    host: '127.0.0.1',
    port: controller.port,
    method,
    path: basePath + path,
    headers,
    agent: false,
  })
  sent.end(body)
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  if (response.statusCode === 200) {
    sent.destroy()
    return null
  }
  const problem = problemSchema.parse(JSON.parse(Buffer.concat(await Array.fromAsync(response)).toString()))
  expect([path.slice(0, 200), response.statusCode]).toEqual([expect.anything(), problem.status])
  return problem.code
}

const calls: [string, Operation | (StreamOperation & { method: 'GET' })][] = [
  ...Object.entries(operations),
  ...Object.entries(streams).map(([name, one]) => [name, { ...one, method: 'GET' as const }] as [string, never]),
]

const filled = (path: string, value: string): string => path.replaceAll(/:\w+/g, value)

it.each(calls)(
  '%s refuses garbage, and is no bug of the controller',
  async (_, { method, path, role, query, ...call }) => {
    const bare = method === 'GET' ? {} : { body: '{}' }
    const inPath = path.includes(':') ? [...values, ...malformed].map((value) => filled(path, value)) : []
    const inQuery = Object.keys(query?.shape ?? {}).flatMap((name) => [
      ...[...values, ...malformed].map((value) => `${filled(path, 'abc')}?${name}=${value}`),
      `${filled(path, 'abc')}?${name}=1&${name}=2`,
    ])
    const paths = [...inPath, ...inQuery].map((one): Sent => ({ ...bare, path: one, method, role }))
    const inBody = 'body' in call ? bodies.map((body) => ({ path: filled(path, 'abc'), method, role, body })) : []
    const codes = await Promise.all([...paths, ...inBody].map(refusalOf))
    expect(codes).not.toContain('E_BUG')
  },
)

it('and the controller serves as before', async () => {
  expect((await controller.ask('GET', `${basePath}/status`)).status).toBe(200)
})
