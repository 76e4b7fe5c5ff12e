import { expect, it } from 'vitest'
import type { NamesDriver } from '../../drivers/names/hostsFile.ts'
import type { NamedService } from '../../drivers/names/hostsBlock.ts'
import { until } from '../../lib/testing/until.ts'
import { aDesiredState } from '../testing/given.ts'
import type { StartExtra } from '../releaseLauncher.ts'
import { names } from './names.ts'

const wanted = [{ service: 'postgres', address: '127.77.3.4' }]

/** A hosts file that other programs rewrite, and that can refuse a change. */
class Hosts implements NamesDriver {
  held: readonly NamedService[] = []
  writes = 0
  isReadOnly = false

  hold(all: readonly NamedService[]): boolean {
    return JSON.stringify(all) === JSON.stringify(this.held)
  }

  async write(all: readonly NamedService[]): Promise<void> {
    if (this.isReadOnly) throw new Error('read-only file system')
    this.writes += 1
    this.held = all
  }
}

function given() {
  const hosts = new Hosts()
  const problems = new Map<string, unknown>()
  const extras: StartExtra[] = []
  const feature = names(hosts, {
    problems: {
      add: (about, error) => void problems.set(about, error),
      solved: (about) => void problems.delete(about),
    },
    launcher: { extend: (extra) => void extras.push(extra) },
    tcpOffset: 1_000,
  })
  return { hosts, problems, feature, extra: extras[0]! }
}

it('writes the names once, and again when somebody has rewritten the file', async () => {
  const { hosts, feature } = given()
  feature.want(aDesiredState({ names: wanted }), false)
  await until(() => expect(hosts.held).toEqual(wanted))
  feature.retry?.(null)
  await feature.close?.()
  expect(hosts.writes).toBe(1)
  hosts.held = []
  feature.retry?.(null)
  await until(() => expect(hosts.held).toEqual(wanted))
})

it('keeps a problem as long as the file cannot be written', async () => {
  const { hosts, problems, feature } = given()
  hosts.isReadOnly = true
  feature.want(aDesiredState({ names: wanted }), false)
  await until(() => expect([...problems.keys()]).toEqual(['names']))
  hosts.isReadOnly = false
  feature.retry?.(null)
  await until(() => expect([hosts.held, problems.size]).toEqual([wanted, 0]))
})

it('gives a release the variables of the services that it uses', () => {
  const { feature, extra } = given()
  const answer = { address: '127.0.0.1', port: 5_432, carries: 'tcp' as const }
  expect([extra.variables?.({ id: 'shop-1', release: 'r1' }), extra.callsServices?.('r1')]).toEqual([{}, false])
  feature.want(aDesiredState({ links: { r1: [{ prefix: 'DB', service: 'postgres', answer }] } }), false)
  expect(extra.variables?.({ id: 'shop-1', release: 'r1' })).toEqual({
    DB_HOST: '127.0.0.1',
    DB_PORT: '6432',
    DB_URL: '',
  })
  expect([extra.callsServices?.('r1'), extra.callsServices?.('r2')]).toEqual([true, false])
})
