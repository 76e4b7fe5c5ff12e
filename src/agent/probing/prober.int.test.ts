import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openProcessLab, stillRunning, type ProcessLab } from '../../drivers/supervisor/process/processLab.ts'
import type { InstanceSpec } from '../../drivers/supervisor/supervisor.ts'
import { systemClock } from '../../lib/clock.ts'
import { until } from '../../lib/testing/until.ts'
import { VirtualClock } from '../../lib/testing/virtualClock.ts'
import { repeatedArgv } from '../../drivers/supervisor/repeatedArgv.ts'
import { Prober } from './prober.ts'

let lab: ProcessLab
let instance: InstanceSpec
let probers: Prober[]
const never = new AbortController().signal

beforeEach(async () => {
  lab = openProcessLab()
  probers = []
  const spec = lab.spec(['sleep', '600'])
  instance = { ...spec, env: { ...spec.env, SECRET: 'of the instance' } }
  await lab.driver.start(instance)
})
afterEach(async () => {
  await Promise.all(probers.map((prober) => prober.close()))
  await lab.close()
})

const proberId = (): string => `${instance.id}.probe`

/** A prober of `sh -c TEXT`, beside the instance. */
function prober(text: string, { timeoutMs = 60_000, clock = systemClock } = {}): Prober {
  const command = ['/bin/sh', '-c', text]
  const beside = { instance: instance.id, env: { TANDEM_ACCESS: proberId() } }
  const stop = { signal: 'SIGKILL' as const, withinMs: 0 }
  const spec = lab.spec(repeatedArgv(command), { id: proberId(), once: true, attached: true, beside, stop })
  const open = async () => {
    const { streams } = await lab.driver.start(spec)
    if (!streams) throw new Error('no streams')
    return { streams, end: () => lab.driver.stop(spec.id) }
  }
  const made = new Prober({ command: ['check', 'x'], timeoutMs, clock, open })
  probers.push(made)
  return made
}

describe('a health command', () => {
  it('decides by its exit status, with the last line of its output as the reason', async () => {
    const asked = prober('echo first; [ -e ok ] && exit 0; printf "no answer\\n\\n" >&2; exit 3')
    expect(await asked.ask(never)).toEqual({ ok: false, reason: 'check exited with status 3: no answer' })
    await lab.driver.start(lab.spec(['touch', join(lab.dir, 'ok')], { once: true }))
    await until(() => expect(existsSync(join(lab.dir, 'ok'))).toBe(true))
    expect(await asked.ask(never)).toEqual({ ok: true })
  })

  it.each([
    ['kill -KILL $$', /^check was killed by SIGKILL/],
    ['exit 7', 'check exited with status 7'],
    ['printf "\\033[31mred\\007 alert"; exit 1', 'check exited with status 1: [31mred  alert'],
    ['head -c 2000000 /dev/zero | tr "\\0" x; exit 1', `check exited with status 1: ${'x'.repeat(200)}…`],
    ['read line || exit 9', 'check exited with status 9'],
  ])('%s', async (text, reason) => {
    expect(await prober(text).ask(never)).toEqual({
      ok: false,
      reason: typeof reason === 'string' ? reason : (expect.stringMatching(reason) as string),
    })
  })

  it('has the environment and the folder of the instance, and one process serves all probes', async () => {
    const asked = prober('echo "$SECRET $PWD $PPID"; exit 1')
    const first = await asked.ask(never)
    expect(first).toMatchObject({ reason: expect.stringContaining(`of the instance ${lab.dir} `) as string })
    expect(await asked.ask(never)).toEqual(first)
  })

  it('is killed after the timeout with all that it started, in whatever session, and the next probe works', async () => {
    const asked = prober(
      '[ -e late ] && exit 0; setsid sleep 601 & echo $! > pid; echo waiting; touch late; sleep 602; true',
      { timeoutMs: 1_500 },
    )
    expect(await asked.ask(never)).toEqual({ ok: false, reason: 'check did not end within 1500 ms: waiting' })
    expect(await stillRunning([Number(readFileSync(join(lab.dir, 'pid'), 'utf8'))])).toEqual([])
    expect(lab.driver.isAlive(proberId())).toBe(false)
    expect(lab.driver.isAlive(instance.id)).toBe(true)
    expect(await asked.ask(never)).toEqual({ ok: true })
  })

  it('misses one probe when its prober is killed', async () => {
    const asked = prober('[ -e once ] || { touch once; kill -9 $PPID; }')
    expect(await asked.ask(never)).toEqual({ ok: false, reason: 'check was killed: its prober has ended' })
    expect(await asked.ask(never)).toEqual({ ok: true })
  })

  it('gives up at once when nobody waits any more, and `close` ends it', async () => {
    const asked = prober('touch begun; sleep 603')
    const left = new AbortController()
    const answer = asked.ask(left.signal)
    await until(() => expect(existsSync(join(lab.dir, 'begun'))).toBe(true))
    left.abort()
    expect(await answer).toEqual({ ok: false, reason: 'check was interrupted' })
    await asked.close()
    expect(lab.driver.isAlive(proberId())).toBe(false)
  })

  it('ends with its instance', async () => {
    const asked = prober('exit 0')
    expect(await asked.ask(never)).toEqual({ ok: true })
    await lab.driver.stop(instance.id)
    await until(() => expect(lab.driver.isAlive(proberId())).toBe(false))
  })

  it('is measured: the share of a processor over a minute', async () => {
    const clock = new VirtualClock()
    const asked = prober('i=0; while [ $i -lt 50000 ]; do i=$((i+1)); done', { clock })
    await asked.ask(never)
    expect(asked.share).toBeNull()
    await clock.advance(60_000)
    await asked.ask(never)
    expect(asked.share).toBeGreaterThan(0)
    expect(asked.share).toBeLessThan(0.5)
  })

  it('that cannot be started is a miss with the reason', async () => {
    const open = () => Promise.reject(new Error('no program "check" in PATH'))
    const asked = new Prober({ command: ['check'], timeoutMs: 1_000, clock: systemClock, open })
    expect(await asked.ask(never)).toEqual({
      ok: false,
      reason: 'check could not be run: no program "check" in PATH',
    })
  })
})
