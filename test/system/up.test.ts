import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { removeTree } from '../../src/releases/removeTree.ts'
import { Laptop } from './laptop.ts'
import { ask, pushTalker } from './talker.ts'
import { Eyes, processesNaming, until } from './watch.ts'

describe('tandem up', () => {
  let laptop: Laptop
  let eyes: Eyes

  beforeAll(async () => {
    laptop = await Laptop.start()
    eyes = new Eyes(laptop)
    expect(await pushTalker(laptop, { name: 'web', version: '1' })).toMatchObject({ exit: 0 })
  })
  afterAll(() => laptop?.remove())

  it('refuses a data folder that another `up` uses, and does not disturb that one', async () => {
    const data = join(laptop.folder, 'data')
    const second = await laptop.json<{ error: { message: string } }>(
      'up',
      '--data',
      data,
      '--port',
      '0',
      '--entry-port',
      '0',
    )
    expect(second).toMatchObject({ exit: 4, error: { code: 'E_DATA_LOCKED', subject: data } })
    expect(second.error.message).toContain(String(laptop.upProcess.pid))
    expect((await ask(laptop.entries['a'])).text).toBe('hello 1')
  })

  it('refuses a port that another process uses, and names it', async () => {
    const args = ['up', '--data', join(laptop.folder, 'other'), '--port', String(laptop.port), '--entry-port', '0']
    expect(await laptop.json(...args)).toMatchObject({ exit: 4, error: { code: 'E_PORT_TAKEN' } })
    await removeTree(join(laptop.folder, 'other'))
  })

  it('stops everything in order, and starts the same services again', async () => {
    const { release, instances } = await eyes.service('web')
    await laptop.down()
    expect(laptop.upProcess.exitCode).toBe(0)
    expect(processesNaming(laptop.folder)).toEqual([])
    await laptop.up()
    for (const entry of Object.values(laptop.entries)) expect((await ask(entry)).text).toBe('hello 1')
    const after = await eyes.service('web')
    expect(after.release).toBe(release)
    expect(after.instances.map(({ machine, state }) => `${machine} ${state}`).sort()).toEqual(['a ready', 'b ready'])
    expect(after.instances).toHaveLength(instances.length)
  })

  it('leaves no process when it is killed, and starts again', async () => {
    expect(processesNaming(laptop.folder).length).toBeGreaterThanOrEqual(6) // up, controller, 2 agents, 2 instances
    await laptop.down('SIGKILL')
    await until('no process is left', () => processesNaming(laptop.folder).length === 0)
    await laptop.up()
    for (const entry of Object.values(laptop.entries)) expect((await ask(entry)).text).toBe('hello 1')
    expect((await eyes.service('web')).instances).toHaveLength(2)
  })
})
