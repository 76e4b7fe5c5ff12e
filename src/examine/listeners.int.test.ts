import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { afterEach, expect, it } from 'vitest'
import { listenersOn, socketsHere } from './listeners.ts'

const children: ChildProcess[] = []
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

/** Starts a process that listens on the host; resolves with its port. */
async function listening(host: string, env: Record<string, string>): Promise<number> {
  const program = `require('net').createServer().listen(0, '${host}', function () { console.log(this.address().port) })`
  const child = spawn(process.execPath, ['-e', program], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  const [said] = (await once(child.stdout, 'data')) as [Buffer] // a pipe without an encoding
  return Number(said)
}

it.skipIf(process.platform !== 'linux')(
  'finds a port that is open to other machines although it was not requested, with the instance that holds it',
  async () => {
    const env = { TANDEM_INSTANCE: 'shop-1' }
    const [open, all, closed] = [
      await listening('0.0.0.0', env),
      await listening('::', env),
      await listening('127.0.0.1', env),
    ]
    const found = await listenersOn([], socketsHere())
    const of = (port: number) =>
      found.filter((one) => one.port === port).map(({ address, instance }) => [address, instance])
    expect(of(open)).toEqual([['0.0.0.0', 'shop-1']])
    expect(of(all)).toEqual([['::', 'shop-1']])
    expect(of(closed)).toEqual([])
    expect((await listenersOn([closed], socketsHere())).map(({ port }) => port)).toContain(closed)
  },
)
