import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { line, type Pushed } from '../system/rollUnderLoad.ts'
import { declareQueue, openAmqp } from './amqp.ts'
import type { Pair } from './pair.ts'
import { brokerScript, installRabbitmq } from './rabbitmq.ts'
import { Wire } from './wire.ts'
import { bootMs } from './sharedPair.ts'

const [keptPort, limitedPort, amqpPort] = [5672, 5673, 5674]
const silentMs = 12_000
const mostTries = 100

export const idleSuite = (lend: () => Promise<Pair>): void => {
  describe('silent connections through both machines', () => {
    let pair: Pair
    const wires: Wire[] = []
    beforeAll(async () => {
      pair = await lend()
      await serve('kept', keptPort)
      await serve('limited', limitedPort, 'idle: 2s\n')
    }, bootMs)
    afterEach(async () => {
      for (const wire of wires.splice(0)) await wire.close()
    })

    /** The only instance of the service is on b. */
    async function serve(name: string, port: number, more = ''): Promise<void> {
      const text = line({
        name,
        version: '1',
        more: `machines: [b]\nroutes: [{ port: ${port}, expose: public }]\n${more}`,
      })
      const pushed = await pair.push(name, text, 'line.mjs')
      expect(pushed).toMatchObject({ exit: 0, rollout: { state: 'completed' } })
    }

    /** Connects from a third machine to a: the HAProxy of a and of b are between the client and the instance. */
    async function connected(port: number): Promise<Wire> {
      let wire: Wire | undefined
      const answer = async (): Promise<string> => {
        await wire?.close()
        wire = new Wire(pair.controller, pair.lab.machine('a').address, port)
        return wire.say('hello').catch(String)
      }
      await expect.poll(answer).toBe('1 hello')
      if (!wire) throw new Error('nothing was connected')
      wires.push(wire)
      return wire
    }

    it('have no timeout in the configuration, except `idle` of a definition', async () => {
      for (const name of ['a', 'b']) {
        const written = await pair.lab.machine(name).must(['cat', '/var/lib/tandem/haproxy/haproxy.cfg'])
        const limits = timeoutsOf(written)
        // Sections that TCP passes: the entry, the machines' own entry, and the services' backends on both sides of TLS.
        for (const section of [
          'defaults tandem_tcp',
          `frontend tcp_${keptPort}`,
          'frontend forward',
          'frontend forwarded_tcp',
        ])
          expect(limits.get(section), `${name}: ${section}`).toEqual([])
        for (const section of ['backend svc_kept', 'backend fwd_kept'])
          expect(limits.get(section), `${name}: ${section}`).toEqual([])
        for (const section of ['backend svc_limited', 'backend fwd_limited'])
          expect(limits.get(section), `${name}: ${section}`).toEqual(['timeout tunnel 2000ms'])
        const global = [...limits].filter(([section]) => section.startsWith('defaults')).flatMap(([, found]) => found)
        expect(global).toEqual([])
      }
    })

    it('stay open while client and server both send nothing', async () => {
      const wire = await connected(keptPort)
      expect(await wire.cutAfter(silentMs)).toBe(null)
      expect(wire.unread.toString()).toBe('')
      expect(await wire.say('still here')).toBe('1 still here')
    })

    it('are closed after the `idle` of their definition, but not while data is sent', async () => {
      const wire = await connected(limitedPort)
      for (let word = 0; word < 4; word++) {
        expect(await wire.cutAfter(1_000)).toBe(null)
        expect(await wire.say(`word ${word}`)).toBe(`1 word ${word}`)
      }
      const cutMs = await wire.cutAfter(silentMs)
      expect(cutMs).toBeGreaterThan(1_500)
      expect(cutMs).toBeLessThan(6_000)
    })

    it('work the same way with RabbitMQ and a client without heartbeats', async ({ skip }) => {
      const whyNot = await installRabbitmq(pair.lab.machine('b'))
      if (whyNot) return skip(whyNot)
      await serveBroker('')
      const kept = await connectedToBroker()
      expect(await kept.cutAfter(silentMs)).toBe(null)
      await declareQueue(kept, 'still-here')
      await kept.close()
      await serveBroker('idle: 3s\n')
      const cutMs = await (await connectedToBroker()).cutAfter(silentMs)
      expect(cutMs).toBeGreaterThan(2_500)
      expect(cutMs).toBeLessThan(7_000)
    })

    async function serveBroker(more: string): Promise<void> {
      const folder = '/srv/services/rabbit'
      pair.controller.write(`${folder}/broker.sh`, brokerScript)
      const text = `service: rabbit
run: [sh, broker.sh]
listen: tcp
machines: [b]
routes: [{ port: ${amqpPort}, expose: public }]
rollout: { strategy: replace, drain: 0s }
health: { within: 90s }
`
      pair.controller.write(`${folder}/tandem.yaml`, text + more)
      const pushed = await pair.tandem<Pushed>('push', folder, '--allow-outage')
      expect(pushed, JSON.stringify(pushed)).toMatchObject({ exit: 0, rollout: { state: 'completed' } })
    }

    async function connectedToBroker(): Promise<Wire> {
      for (let tries = 0; ; tries++) {
        const wire = new Wire(pair.controller, pair.lab.machine('a').address, amqpPort)
        wires.push(wire)
        try {
          await openAmqp(wire)
          return wire
        } catch (error) {
          // A listening broker refuses connections until it has created its first database; a peer is used once its check
          // has succeeded.
          if (tries === mostTries) throw error
          await wire.close()
        }
      }
    }
  })
}

/** The timeouts of idle connections, by section. */
function timeoutsOf(config: string): Map<string, string[]> {
  const found = new Map<string, string[]>()
  let section: string[] = []
  for (const text of config.split('\n')) {
    const [, kind, name] = /^(global|defaults|frontend|backend|listen)\s*(\S*)/.exec(text) ?? []
    if (kind) found.set(`${kind} ${name}`.trim(), (section = []))
    else if (/^\s+timeout (client|server|tunnel|client-fin|server-fin)\b/.test(text)) section.push(text.trim())
  }
  return found
}
