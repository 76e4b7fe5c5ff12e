import { describe, expect, it } from 'vitest'
import { parseDefinition } from '../parseDefinition.ts'
import { problemsIn } from '../testing/problemsIn.ts'
import type { Health } from '../definition.ts'

const file = (more: string, run = './server'): string => `service: shop\nrun: ${run}\n${more}\n`
const parsed = (more: string, run?: string) => parseDefinition(file(more, run), 'tandem.yaml')
const health = (more: string): Health => parsed(`health: ${more}`).definition.health
const warnings = (more: string, run?: string): string[] => parsed(more, run).warnings.map(({ message }) => message)

const problems = (more: string): string[] => problemsIn(file(more))

describe('`health`', () => {
  it('takes a status, a range, or a list of both', () => {
    expect(health('{ status: 204 }').status).toEqual(['204'])
    expect(health('{ status: 200-299 }').status).toEqual(['200-299'])
    expect(health('{ status: [200, 300-399, "401"] }').status).toEqual(['200', '300-399', '401'])
  })

  it('takes header fields as texts', () => {
    expect(health('{ header: { X-Probe: yes, Accept: text/plain } }').header).toEqual({
      'X-Probe': 'yes',
      Accept: 'text/plain',
    })
  })

  it('stores none of these keys where they are not written', () => {
    expect(Object.keys(health('{ path: /up }'))).toEqual(['path', 'everyMs', 'timeoutMs', 'withinMs', 'settleMs'])
  })

  it.each([
    ['{ status: 2xx }', '"2xx" is not a status such as 204, or a range such as 200-299 [200-299]'],
    ['{ status: 299-200 }', '"299-200" is not a status such as 204, or a range such as 200-299'],
    ['{ status: 100 }', '"100" is not a status such as 204, or a range such as 200-299'],
    ['{ status: [] }', 'the list of statuses is empty'],
    ['{ header: { Host: x } }', 'write the host under `health.host`'],
    ['{ header: { "X Y": x } }', '"X Y" is not the name of a header field'],
    ['{ header: { Content-Length: 5 } }', 'a probe cannot send Content-Length'],
    ['{ header: { X: "a\\r\\nHost: y" } }', 'holds a character other than printable ASCII'],
    ['{ header: {} }', 'is empty; expected a map of header fields'],
  ])('%s is refused', (written, message) => {
    expect(problems(`health: ${written}`)).toEqual([message])
  })

  it('warns of a delay that leaves no time for a second probe', () => {
    expect(warnings('health: { delay: 30s }')).toEqual([
      'as long as `health.within` (30 s, also counted from the start), or longer: the first probe that fails fails the rollout',
    ])
    expect(warnings('health: { delay: 1m, within: 90s }')).toEqual([])
  })
})

describe('two stores behind one port', () => {
  const tcp = 'listen: tcp\nroutes: [{ port: 5432 }]\n'
  const store = '["/usr/lib/postgresql/15/bin/postgres", "-p", "${PORT}"]'

  it('are warned of, on several machines and in several instances', () => {
    expect(warnings(tcp, store)).toEqual([
      expect.stringMatching(/^postgres runs on all machines behind one port, each with data of its own/) as string,
    ])
    expect(warnings(`${tcp}machines: [a, b]`, store)).toHaveLength(1)
    expect(warnings(`${tcp}machines: [a]\ninstances: 2`, store)).toHaveLength(1)
    expect(warnings(tcp, '["sh", "-c", "true; exec x", "/usr/sbin/rabbitmq-server"]')).toHaveLength(1)
  })

  it.each([
    ['on one machine', `${tcp}machines: [a]`, store],
    ['on one machine in each cluster', `${tcp}environments: { prod: { machines: [a] } }`, store],
    ['that its arguments join to others', tcp, '["redis-server", "--replicaof", "a", "1"]'],
    ['that its variables join to others', `${tcp}env: { RABBITMQ_CLUSTER: a }`, '["rabbitmq-server"]'],
    ['that is not known to keep data', tcp, '["./broker"]'],
    ['that does not listen tcp', 'listen: none', '["redis-server"]'],
  ])('are no warning for a program %s', (_, more, run) => {
    expect(warnings(more, run)).toEqual([])
  })
})
