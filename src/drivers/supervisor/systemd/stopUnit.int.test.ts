import { execFileSync } from 'node:child_process'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../../lib/clock.ts'
import type { InstanceSpec } from '../supervisor.ts'
import { insideMachine, openSystemdLab, whyOutside, type SystemdLab } from './systemdLab.ts'
import { unitName } from './unitName.ts'

const withinMs = 6_000
const node = (script: string): string[] => ['/usr/lib/tandem/node', '-e', `${script}; setInterval(() => {}, 1e6)`]
const up = `console.log('up')`

describe.skipIf(!insideMachine)(`a unit of one process${whyOutside}`, () => {
  let lab: SystemdLab
  beforeEach(async () => {
    lab = await openSystemdLab()
  })
  afterEach(() => lab.close())

  const started = async (script: string): Promise<InstanceSpec> => {
    const wanted = lab.spec(node(script), { stop: { signal: 'SIGINT', withinMs } })
    await lab.driver.start(wanted)
    await lab.printed(wanted, /^up$/)
    return wanted
  }
  const loaded = ({ service, id }: InstanceSpec): string =>
    execFileSync('systemctl', ['show', '-P', 'LoadState', unitName(service, id)], { encoding: 'utf8' }).trim()

  it('gets its signal once, is not restarted, and its status is reported', async () => {
    const wanted = await started(
      `process.on('SIGINT', () => { console.log('told'); process.exitCode = 5; setTimeout(() => process.exit(), 300) }); ${up}`,
    )
    await lab.driver.stop(wanted.id)
    expect(lab.exits).toEqual([expect.objectContaining({ id: wanted.id, code: 5, asked: true, reason: 'stopped' })])
    const said = (await lab.lines(wanted.service)).map(({ text }) => text)
    expect(said.filter((text) => text === 'told')).toHaveLength(1)
    // The unit neither failed nor waits for its next start.
    await expect.poll(() => loaded(wanted)).toBe('not-found')
    expect(lab.restarts).toEqual([])
  })

  it('that ends successfully leaves nothing either, although its ExecStop= still runs', async () => {
    const wanted = await started(`process.on('SIGINT', () => process.exit(0)); ${up}`)
    await lab.driver.stop(wanted.id)
    expect(lab.exits).toEqual([expect.objectContaining({ id: wanted.id, code: 0, asked: true })])
    await expect.poll(() => loaded(wanted)).toBe('not-found')
    expect(lab.restarts).toEqual([])
  })

  it('is killed when its time has passed', async () => {
    const wanted = await started(`process.on('SIGINT', () => {}); ${up}`)
    const began = systemClock.monotonic()
    await lab.driver.stop(wanted.id)
    expect(systemClock.monotonic() - began).toBeGreaterThanOrEqual(withinMs - 1)
    expect(lab.exits).toEqual([expect.objectContaining({ id: wanted.id, signal: 'SIGKILL', reason: 'stopped' })])
    await expect.poll(() => loaded(wanted)).toBe('not-found')
  })

  it('that starts another process while it ends has ended only when that process has ended too', async () => {
    const child = `require('child_process').spawn('/bin/sh', ['-c', 'trap "echo child told; sleep 1; echo child ends; exit" TERM; while :; do sleep 0.05; done'], { stdio: 'inherit' })`
    const wanted = await started(
      `process.on('SIGINT', () => { ${child}; setTimeout(() => process.exit(0), 500) }); ${up}`,
    )
    await lab.driver.stop(wanted.id)
    const said = (await lab.lines(wanted.service)).map(({ text }) => text)
    expect(said.slice(said.indexOf('child told')).filter((text) => text.startsWith('child'))).toEqual([
      'child told',
      'child ends',
    ])
  })
})
