import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { addressConformance } from '../addressConformance.ts'
import type { AddressPlan } from '../address.ts'
import { createCommandAddress, type CommandLimits } from './commandAddress.ts'

const parent = join(import.meta.dirname, '../../../../tmp')
mkdirSync(parent, { recursive: true })
const plan = (over: Partial<AddressPlan> = {}): AddressPlan => ({
  ...{
    position: 1,
    advert: 100,
    addresses: ['10.0.0.50'],
    eligible: true,
    yields: [],
    refused: [],
    othersServe: false,
    peers: [],
  },
  ...over,
})

describe('the address driver `command`', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(parent, 'command-'))
    script('take', 'echo "take $TANDEM_MACHINE $TANDEM_CLUSTER $TANDEM_ADDRESSES" >>"$(dirname "$0")/said"')
    script('release', 'echo release >>"$(dirname "$0")/said"')
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  const script = (name: string, text: string): void =>
    writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 })
  const said = (): string[] => {
    const file = join(folder, 'said')
    return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []
  }
  const driver = (limits: Partial<CommandLimits> = {}) =>
    createCommandAddress({ machine: 'a', cluster: 'test', folder, file: join(folder, 'done.json'), limits })

  addressConformance('command', () => driver())

  it('runs a script when the wanted state changes, but not without a change, nor after its own start', async () => {
    const one = driver()
    await one.apply(plan())
    await one.apply(plan({ position: 2 }))
    await one.apply(plan({ position: 3, eligible: false }))
    await one.close()
    const two = driver()
    await two.apply(plan({ eligible: false }))
    expect(said()).toEqual(['take a test 10.0.0.50', 'release'])
    await two.apply(plan({ yields: ['10.0.0.50'] }))
    expect(said()).toHaveLength(2)
    await two.apply(plan())
    expect(said().at(-1)).toBe('take a test 10.0.0.50')
  })

  it('reports the output of a script that fails, and runs the script again after a while, not at once', async () => {
    script('take', 'echo "no such balancer" >&2; exit 3')
    const one = driver({ againMs: 200 })
    const failure = /take failed \(exit status 3\): no such balancer/
    await expect(one.apply(plan())).rejects.toThrow(failure)
    script('take', 'echo repaired >>"$(dirname "$0")/said"')
    await expect(one.apply(plan())).rejects.toThrow(failure)
    expect(said()).toEqual([])
    await expect.poll(() => one.apply(plan()).then(said, () => [])).toEqual(['repaired'])
  })

  it('kills a script that takes too long, with all processes it started', async () => {
    script('take', 'sleep 1000 & echo $! >"$(dirname "$0")/said"; wait')
    await expect(driver({ scriptMs: 300 }).apply(plan())).rejects.toThrow('did not end within 0.3 s')
    const child = Number(said()[0])
    await expect.poll(() => runs(child)).toBe(false)
  })

  it('reports a script that is missing or cannot be executed', async () => {
    rmSync(join(folder, 'take'))
    await expect(driver().apply(plan())).rejects.toMatchObject({ code: 'E_ADDRESS_DRIVER', subject: 'a' })
  })
})

function runs(pid: number): boolean {
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z')
  } catch {
    return false
  }
}
