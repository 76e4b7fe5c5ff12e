import { once } from 'node:events'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { removeTree } from '../../src/releases/removeTree.ts'
import { CallersFile, inheritNothing, onlyThree } from './inheritedFiles.ts'
import { Laptop } from './laptop.ts'
import { inOrder } from './steps.ts'
import { ask, pushTalker } from './talker.ts'
import { Eyes, isAlive, processesNaming, until } from './watch.ts'

describe('tandem up', () => {
  const callers = new CallersFile()
  const step = inOrder()
  let laptop: Laptop
  let eyes: Eyes

  beforeAll(async () => {
    laptop = await Laptop.start({ inherited: callers.inherited })
    eyes = new Eyes(laptop)
    expect(await pushTalker(laptop, { name: 'web', version: '1', more: inheritNothing })).toMatchObject({ exit: 0 })
  })
  afterAll(async () => {
    await laptop?.remove()
    callers.remove()
  })

  const servesEverywhere = async (): Promise<void> => {
    for (const entry of Object.values(laptop.entries)) expect((await ask(entry)).text).toBe('hello 1')
  }

  step('keeps its data folder and its ports to itself, and names them to a second `up`', async () => {
    const [data, other] = [join(laptop.folder, 'data'), join(laptop.folder, 'other')]
    const anyPorts = ['--port', '0', '--entry-port', '0']
    const [second, third] = await Promise.all([
      laptop.json<{ error: { message: string } }>('up', '--data', data, ...anyPorts),
      laptop.json('up', '--data', other, '--port', String(laptop.port), '--entry-port', '0'),
    ])
    expect(second).toMatchObject({ exit: 4, error: { code: 'E_DATA_LOCKED', subject: data } })
    expect(second.error.message).toContain(String(laptop.upProcess.pid))
    expect(third).toMatchObject({ exit: 4, error: { code: 'E_PORT_TAKEN' } })
    await removeTree(other)
    await servesEverywhere()
  })

  step('hands no open file of its caller to a controller, agent, build, job or instance', async () => {
    if (process.platform !== 'linux') return
    expect(await laptop.run('run', 'web', '--', 'sh', '-c', onlyThree)).toMatchObject({ code: 0 })
    const { holders, processes } = callers.holders(laptop)
    expect(holders).toEqual([])
    expect(processes).toBeGreaterThanOrEqual(5) // controller, 2 agents, 2 instances
  })

  step('stops everything in order, and starts the same services again', async () => {
    const { release, instances } = await eyes.service('web')
    await laptop.down()
    expect(laptop.upProcess.exitCode).toBe(0)
    expect(processesNaming(laptop.folder)).toEqual([])
    await laptop.up()
    await servesEverywhere()
    const after = await eyes.service('web')
    expect(after.release).toBe(release)
    expect(after.instances.map(({ machine, state }) => `${machine} ${state}`).sort()).toEqual(['a ready', 'b ready'])
    expect(after.instances).toHaveLength(instances.length)
  })

  step('leaves no process when it is killed, and starts again', async () => {
    expect(processesNaming(laptop.folder).length).toBeGreaterThanOrEqual(6) // up, controller, 2 agents, 2 instances
    await laptop.down('SIGKILL')
    await until('no process is left', () => processesNaming(laptop.folder).length === 0)
    await laptop.up()
    await servesEverywhere()
    expect((await eyes.service('web')).instances).toHaveLength(2)
  })

  step('ends at once at the second Ctrl-C, and kills instances that ignore their stop signal', async () => {
    const about = 'listen: none\nhealth: { settle: 10ms }\nstop: { within: 10m }\n'
    const script = `trap '' TERM; while :; do sleep 0.1; done`
    const folder = laptop.service('deaf', `service: deaf\nrun: ["sh", "-c", "${script}"]\n${about}`)
    expect(await laptop.json('push', folder)).toMatchObject({ exit: 0 })
    const pids = (await eyes.service('deaf')).instances.map(({ pid }) => pid ?? 0)
    expect(pids.map(isAlive)).toEqual([true, true])
    const ended = once(laptop.upProcess, 'exit')
    let err = ''
    laptop.upProcess.stderr?.on('data', (chunk) => (err += String(chunk)))
    laptop.upProcess.kill('SIGINT')
    await until('it stops in order', () => err.includes('stopping everything in order'))
    laptop.upProcess.kill('SIGINT')
    await ended
    await until('the instances have ended', () => !pids.some(isAlive))
  })
})
