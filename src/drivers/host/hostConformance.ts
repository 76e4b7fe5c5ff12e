import { beforeEach, describe, expect, it } from 'vitest'
import type { HostDriver, HostScript, ScriptState } from './host.ts'

interface Opened {
  host: HostDriver
  /** Text of a script that runs until `end`. */
  text: (id: string) => string
  /** Lets a script end: with an exit status, or `late` at its time limit. */
  end: (script: HostScript, how: number | 'late') => void | Promise<void>
  /** The controller's signature, where the driver demands one. */
  order?: (script: HostScript) => string
}

let scripts = 0

/**
 * The promises that every host driver keeps, the fake included. A restart of the machine is not among them: the tests
 * run on it.
 */
export function hostConformance(name: string, open: () => Opened | Promise<Opened>): void {
  describe(`a host driver: ${name}`, () => {
    let opened: Opened
    let host: HostDriver
    beforeEach(async () => {
      opened = await open()
      host = opened.host
    })

    /** The time limit is short only where a test waits for it. */
    const script = (withinMs = 60_000): HostScript => {
      // The form of the ids of maintenance: MAINTENANCE-ATTEMPT.
      const id = `${(process.pid * 1_000 + ++scripts).toString(36).padStart(8, '0').slice(-8)}-1`
      return { id, name: 'patch.sh', text: opened.text(id), withinMs }
    }
    const begin = async (withinMs?: number): Promise<HostScript> => {
      const made = script(withinMs)
      await host.begin(made, opened.order?.(made) ?? null)
      return made
    }
    const untilOver = async (made: HostScript): Promise<ScriptState> => {
      await expect.poll(async () => (await host.look(made)).state, { timeout: 20_000 }).not.toBe('running')
      return host.look(made)
    }

    it('shows the same start of the machine until the machine restarts', () => {
      expect(host.bootMark()).not.toBe('')
      expect(host.bootMark()).toBe(host.bootMark())
    })

    it('knows no script that it has not begun, and has nothing of it to forget', async () => {
      const made = script()
      expect(await host.look(made)).toEqual({ state: 'unknown' })
      await host.forget(made)
      expect(await host.look(made)).toEqual({ state: 'unknown' })
    })

    it('runs a script until it ends, and keeps the result until it is forgotten', async () => {
      const made = await begin()
      expect(await host.look(made)).toEqual({ state: 'running' })
      await opened.end(made, 0)
      expect(await untilOver(made)).toEqual({ state: 'ok' })
      expect(await host.look(made)).toEqual({ state: 'ok' })
      await host.forget(made)
      expect(await host.look(made)).toEqual({ state: 'unknown' })
    })

    it('reports a script that fails, by its name and exit status', async () => {
      const made = await begin()
      await opened.end(made, 3)
      const { state, reason } = { reason: '', ...(await untilOver(made)) }
      expect([state, reason]).toEqual(['failed', expect.stringMatching(/^patch\.sh exited with status 3/)])
      await host.forget(made)
      expect(await host.look(made)).toEqual({ state: 'unknown' })
    })

    it('ends a script at its time limit, and reports that', async () => {
      const made = await begin(1_000)
      await opened.end(made, 'late')
      const { state, reason } = { reason: '', ...(await untilOver(made)) }
      expect([state, reason]).toEqual(['failed', expect.stringMatching(/^patch\.sh did not end within 1 s/)])
      await host.forget(made)
    })

    it('keeps scripts apart', async () => {
      const one = await begin()
      await opened.end(one, 0)
      await untilOver(one)
      const two = await begin()
      expect([await host.look(one), await host.look(two)]).toEqual([{ state: 'ok' }, { state: 'running' }])
      await host.forget(one)
      expect([await host.look(one), await host.look(two)]).toEqual([{ state: 'unknown' }, { state: 'running' }])
      await opened.end(two, 0)
      await untilOver(two)
      await host.forget(two)
    })

    it('forgets a script twice without an error', async () => {
      const made = await begin()
      await opened.end(made, 0)
      await untilOver(made)
      await host.forget(made)
      await host.forget(made)
      expect(await host.look(made)).toEqual({ state: 'unknown' })
    })
  })
}
