import { closeSync, mkdtempSync, openSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { bundle } from '../../packaging/bundle.ts'
import { Laptop } from './laptop.ts'
import type { Pushed } from './rollUnderLoad.ts'
import { processesNaming } from './watch.ts'

/** Exits with 0 only if descriptors 0, 1 and 2 are the only open ones; `ls` itself opens the folder. */
const onlyThree = `test "$(ls /proc/self/fd | tr '\\n' ' ')" = '0 1 2 3 '`
const sh = (command: string): string => JSON.stringify(['sh', '-c', command])

const definition = `service: web
run: [node, web.mjs]
build: { command: ${JSON.stringify(onlyThree)} }
prepare: ${sh(onlyThree)}
`

describe.skipIf(process.platform !== 'linux')('files that are open in the shell that starts a command', () => {
  it('reach no instance, job, controller, agent or build', { timeout: 60_000 }, async () => {
    expect(await whoHasThem()).toEqual([])
  })

  it('reach none of them in the shipped program either', { timeout: 90_000 }, async () => {
    const dir = join(import.meta.dirname, `../../tmp/inherited-${process.pid}`)
    onTestFinished(() => rmSync(dir, { recursive: true }))
    expect(await whoHasThem((await bundle(dir)).main)).toEqual([])
  })

  /** Processes of a laptop, except the command itself, that have a file of the caller open. */
  async function whoHasThem(main?: string): Promise<number[]> {
    const folder = mkdtempSync(join(tmpdir(), 'tandem-inherited-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const secret = join(folder, 'secret')
    writeFileSync(secret, 'for one reader', { mode: 0o600 })
    const fd = openSync(secret, 'r')
    onTestFinished(() => closeSync(fd))
    const laptop = await Laptop.start({ machines: 1, ...(main ? { main } : {}), inherited: { 7: fd, 57: fd } })
    onTestFinished(() => laptop.remove())

    const pushed = await laptop.json<Pushed>('push', laptop.service('web', definition))
    expect(pushed, JSON.stringify(pushed)).toMatchObject({ exit: 0, rollout: { state: 'completed' } })
    expect(await laptop.run('run', 'web', '--', 'sh', '-c', onlyThree)).toMatchObject({ code: 0 })
    const pids = processesNaming(laptop.folder).map((said) => Number(said.split(' ', 1)[0]))
    const others = pids.filter((pid) => pid !== laptop.upProcess.pid)
    expect(others.length).toBeGreaterThanOrEqual(3) // controller, agent, instance
    return others.filter((pid) => openFiles(pid).includes(secret))
  }
})

function openFiles(pid: number): string[] {
  const folder = `/proc/${pid}/fd`
  return readdirSync(folder).flatMap((name) => {
    try {
      return [readlinkSync(join(folder, name))]
    } catch {
      return [] // the process has ended meanwhile
    }
  })
}
