import { cpSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Status } from '../../src/api/views.ts'
import { Assembled } from './assembled.ts'
import { pushWeb } from '../system/rollUnderLoad.ts'

describe('an event log that was restored from a backup', () => {
  let laptop: Assembled
  let backup: string

  beforeAll(async () => {
    laptop = await Assembled.start()
    backup = join(laptop.folder, 'backup')
    mkdirSync(backup)
    await pushWeb(laptop, { name: 'web', version: '1' })
    await whileControllerIsDown(() => copyLog(folder(), backup))
    await until(({ exit }) => exit === 0)
    expect(await pushWeb(laptop, { name: 'web', version: '2' })).toMatchObject({ exit: 0 })
  })
  afterAll(() => laptop?.remove())

  const folder = (): string => join(laptop.folder, 'data/controller')

  const whileControllerIsDown = async (work: () => void): Promise<void> => {
    await laptop.stopController()
    work()
    await laptop.startController()
  }

  const until = async (what: (status: Status & { exit: number }) => boolean): Promise<Status> => {
    for (const deadline = Date.now() + 30_000; Date.now() < deadline;) {
      const status = await laptop.json<Status>('status')
      if (what(status)) return status
    }
    throw new Error(`the expected state was not reached: ${JSON.stringify(await laptop.json('status'), null, 1)}`)
  }

  const running = ({ services }: Status): unknown =>
    services.map(({ service, release, instances }) => ({ service, release, pids: instances.map(({ pid }) => pid) }))

  it('is refused by the machines, which continue to serve; recovering adopts their services and changes nothing', async () => {
    const before = await until(
      ({ services }) => services[0]?.instances.length === 2 && services[0].instances.every(({ pid }) => pid !== null),
    )
    await whileControllerIsDown(() => copyLog(backup, folder()))

    const refusing = await until(({ machines }) => machines?.every(({ problems }) => problems.length > 0))
    expect(refusing.machines.map(({ problems }) => problems[0])).toEqual(
      ['a', 'b'].map(() => expect.stringContaining('restored from a backup')),
    )
    expect(await pushWeb(laptop, { name: 'web', version: '3' })).toMatchObject({
      exit: 4,
      error: { code: 'E_LOG_BEHIND', next: expect.stringContaining('tandem controller recover') },
    })
    expect(await answers()).toEqual(['hello 2', 'hello 2'])

    expect(await laptop.json('controller', 'recover')).toMatchObject({ exit: 0 })
    const after = await until(
      ({ machines, services }) =>
        machines.every(({ problems }) => problems.length === 0) && services[0]?.instances.length === 2,
    )
    expect(running(after)).toEqual(running(before))
    expect(await answers()).toEqual(['hello 2', 'hello 2'])

    expect(await pushWeb(laptop, { name: 'web', version: '3' })).toMatchObject({ exit: 0 })
    expect(await answers()).toEqual(['hello 3', 'hello 3'])
  })

  const answers = (): Promise<string[]> =>
    Promise.all(Object.values(laptop.entries).map(async (entry) => (await fetch(entry)).text()))
})

/** Replaces the log in `to` by that in `from`: the database and its write-ahead log. */
function copyLog(from: string, to: string): void {
  for (const file of readdirSync(to)) if (file.startsWith('controller.db')) rmSync(join(to, file))
  for (const file of readdirSync(from)) if (file.startsWith('controller.db')) cpSync(join(from, file), join(to, file))
}
