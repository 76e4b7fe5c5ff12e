import { expect, it, onTestFinished } from 'vitest'
import type { CarriedOrder, SecretsHost } from '../../drivers/secrets/secretsHost.ts'
import { systemClock } from '../../lib/clock.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import { until } from '../../lib/testing/until.ts'
import type { StartExtra } from '../releaseLauncher.ts'
import { aDesiredState, anInstance } from '../testing/given.ts'
import { Secrets } from './secrets.ts'

const release = 'f'.repeat(64)
const generation = (id: string, service = 'shop') => ({ service, generation: id, release, versions: {} })

/** A helper that keeps the generations of the newest order, and a controller that answers as the test says. */
function given(answer: (service: string) => Promise<string[]>, kept: Record<string, string[]> = {}) {
  const held = new Map(Object.entries(kept))
  const host: SecretsHost = {
    recipient: async () => null,
    services: async () => [...held.keys()],
    held: async (service) => held.get(service) ?? [],
    take: async (service, { content }: CarriedOrder) => {
      const generations = content === '' ? [] : content.split(' ')
      if (generations.length === 0) held.delete(service)
      else held.set(service, generations)
    },
    has: async (service, id) => held.get(service)?.includes(id) === true,
  }
  const problems = new Map<string, unknown>()
  const extras: StartExtra[] = []
  const tries = new Map<string, number>()
  const feature = new Secrets(host, {
    connection: {
      post: async (path) => {
        const service = path.replace('/agent/secrets/', '')
        tries.set(service, (tries.get(service) ?? 0) + 1)
        return { order: null, content: (await answer(service)).join(' '), values: null }
      },
    },
    launcher: { extend: (extra) => void extras.push(extra) },
    problems: {
      add: (about, error) => void problems.set(about, error),
      solved: (about) => void problems.delete(about),
    },
    clock: systemClock,
    random: () => 0.99,
  })
  onTestFinished(() => feature.stop())
  const secretsOf = (id: string) => extras[0]?.secrets?.({ id, release }, new AbortController().signal)
  return { feature, held, problems, tries, secretsOf }
}

const running = (...ids: string[]) =>
  aDesiredState({
    secrets: ids.map((id) => generation(id)),
    instances: ids.map((id) => anInstance({ id: `shop-${id}-a-1`, generation: id, release })),
  })

it('brings the secrets of each generation once, and names the generation to the supervisor', async () => {
  const { feature, tries, secretsOf } = given(async () => ['r1'])
  feature.want(running('r1'), false)
  feature.want(running('r1'), false)
  expect(await secretsOf('shop-r1-a-1')).toEqual({ generation: 'r1' })
  expect(tries.get('shop')).toBe(1)
  // A command of a person runs as the newest generation of its release.
  expect(await secretsOf('shop-run-7')).toEqual({ generation: 'r1' })
})

it('a program without secrets gets none', async () => {
  const { feature, secretsOf } = given(async () => [])
  feature.want(aDesiredState({ instances: [anInstance({ id: 'blog-r1-a-1', generation: 'r1', release })] }), false)
  expect(await secretsOf('blog-r1-a-1')).toBeNull()
})

it('starts with the secrets that are here while the controller is unreachable', async () => {
  const absent = new OperatorError('E_CONTROLLER_UNREACHABLE', 'no controller')
  const { feature, problems, secretsOf } = given(() => Promise.reject(absent), { shop: ['r1'] })
  feature.want(running('r1'), false)
  expect(await secretsOf('shop-r1-a-1')).toEqual({ generation: 'r1' })
  expect(problems.size).toBe(0)
})

it('asks no controller before one was obeyed; what is here starts', async () => {
  const { feature, tries, secretsOf } = given(async () => ['r1'], { shop: ['r1'] })
  feature.want(running('r1'), true)
  expect(await secretsOf('shop-r1-a-1')).toEqual({ generation: 'r1' })
  expect(tries.size).toBe(0)
})

it('asks again when the host has lost a generation, and says when the controller does not have it any more', async () => {
  const { feature, held, tries, secretsOf } = given(async () => ['r1'])
  feature.want(running('r1'), false)
  await until(() => expect(held.get('shop')).toEqual(['r1']))
  held.clear()
  expect(await secretsOf('shop-r1-a-1')).toEqual({ generation: 'r1' })
  expect(tries.get('shop')).toBe(2)
  const { feature: second, secretsOf: of } = given(async () => ['r2'])
  second.want(running('r1'), false)
  await expect(of('shop-r1-a-1')).rejects.toMatchObject({
    ...{ code: 'E_SECRETS_MISSING', next: 'tandem restart shop   takes the newest versions' },
  })
})

it('reports why secrets are missing, and brings them when the controller can read them', async () => {
  const sealed = new OperatorError('E_SEALED', 'the root key is in shares', { next: 'tandem secrets unseal' })
  let isSealed = true
  const { feature, problems, secretsOf } = given(async () => {
    if (isSealed) throw sealed
    return ['r1']
  })
  feature.want(running('r1'), false)
  await until(() => expect(problems.get('secrets shop')).toBe(sealed))
  isSealed = false
  expect(await secretsOf('shop-r1-a-1')).toEqual({ generation: 'r1' })
  expect(problems.size).toBe(0)
})

it('lets secrets go when nothing of the service is to run here, also those of an earlier agent', async () => {
  const { feature, held } = given(async (service) => (service === 'shop' ? ['r1'] : []), { blog: ['r7'] })
  feature.want(running('r1'), false)
  await until(() => expect([...held.keys()]).toEqual(['shop']))
  const { feature: second, held: kept } = given(async () => [], { shop: ['r1'] })
  second.want(running('r1'), false)
  second.want(aDesiredState(), false)
  await until(() => expect(kept.size).toBe(0))
})
