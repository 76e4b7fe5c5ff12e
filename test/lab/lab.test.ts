import { existsSync } from 'node:fs'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { labFolder, openLab, type Lab } from './lab.ts'
import { labsFolder, remains, removeAbandonedLabs } from './leftovers.ts'
import { whyNoLab } from './requirements.ts'

const why = whyNoLab()
const bootMs = 700_000 // the first run installs the machines' system

describe.skipIf(why)(`the machine lab${why ? ` (skipped: ${why})` : ''}`, () => {
  let lab: Lab
  beforeAll(async () => {
    lab = await openLab({ machines: ['a', 'b'] })
  }, bootMs)
  afterEach(() => lab.network.heal())
  afterAll(() => lab?.close())

  const reaches = async (from: string, to: string): Promise<boolean> =>
    (await lab.machine(from).run(['ping', '-q', '-c1', '-W1', to])).code === 0

  it('boots machines with their own systemd, Node and tandem, which reach each other and the client', async () => {
    const [a, b] = lab.machines
    expect((await a?.must(['cat', '/proc/1/comm']))?.trim()).toBe('systemd')
    expect((await b?.must(['hostname']))?.trim()).toBe('b')
    expect(await a?.must(['node', '--version'])).toMatch(/^v2[4-9]/)
    expect(await a?.must(['tandem', '--version'])).toMatch(/\d+\.\d+/)
    expect([await reaches('a', 'b'), await reaches('b', 'a'), await reaches('a', 'client')]).toEqual([true, true, true])
  })

  it('cuts the connection between two machines both ways and heals it', async () => {
    await lab.network.cut('a', 'b')
    expect([await reaches('a', 'b'), await reaches('a', 'client')]).toEqual([false, true])
    await lab.network.heal('a', 'b')
    expect(await reaches('a', 'b')).toBe(true)
  })

  it('cuts one direction, also of an established connection: sent data arrives after the cut is healed', async () => {
    const [a, b] = [lab.machine('a'), lab.machine('b')]
    const said = '/root/said'
    await b.must(['systemd-run', '-q', '--unit=hears', 'socat', '-u', 'TCP-LISTEN:7000', `OPEN:${said},creat`])
    const speak = 'exec 3<>/dev/tcp/b/7000 4<>/root/orders; while read -r line <&4; do echo "$line" >&3; done'
    await a.must(['mkfifo', '/root/orders'])
    await expect.poll(async () => (await b.must(['ss', '-ltn'])).includes(':7000')).toBe(true)
    await a.must(['systemd-run', '-q', '--unit=speaks', 'bash', '-c', speak])
    const order = (word: string): Promise<string> => a.must(['sh', '-c', 'echo "$1" >/root/orders', 'sh', word])
    const heard = async (): Promise<string> => (await b.run(['cat', said])).out
    await order('before')
    await expect.poll(heard).toBe('before\n')
    await lab.network.cutOneWay('a', 'b')
    await order('during')
    // b's segments still reach a, whose network card counts them; only the answers are missing.
    expect(await reaches('b', 'a')).toBe(false)
    expect(await reaches('b', 'client')).toBe(true)
    expect(await heard()).toBe('before\n')
    await lab.network.heal()
    // The kernel doubles its retransmission timeout.
    await expect.poll(heard).toBe('before\nduring\n')
  })

  it('kills a machine like a power failure, and boots it again with the same disk', async () => {
    const b = lab.machine('b')
    await b.must(['sh', '-c', 'echo kept >/root/kept; sync'])
    const boot = await b.must(['cat', '/proc/sys/kernel/random/boot_id', '/etc/machine-id'])
    await b.kill()
    expect(b.isUp).toBe(false)
    expect(await reaches('a', 'b')).toBe(false)
    await b.boot()
    expect((await b.must(['cat', '/root/kept'])).trim()).toBe('kept')
    expect((await b.must(['cat', '/proc/sys/kernel/random/boot_id', '/etc/machine-id'])).split('\n')[1]).toBe(
      boot.split('\n')[1],
    )
    await expect.poll(() => reaches('a', 'b')).toBe(true)
  })

  it('enforces the memory limit of a service', async () => {
    const hungry = ['node', '-e', 'const kept=[];for(;;)kept.push(Buffer.alloc(1e7,1))']
    const limit = ['-p', 'MemoryMax=80M', '-p', 'MemorySwapMax=0']
    const { code } = await lab.machine('a').run(['systemd-run', '-q', '--wait', '--pipe', ...limit, ...hungry])
    expect(code).not.toBe(0)
    const free = await lab.machine('a').run(['systemd-run', '-q', '--wait', '--pipe', ...limit, 'node', '-e', '0'])
    expect(free.code).toBe(0)
  })

  it('two labs do not collide, and the next lab removes one that was killed', { timeout: bootMs }, async () => {
    const script = `
      const { openLab } = await import(${JSON.stringify(new URL('./lab.ts', import.meta.url).href)})
      const lab = await openLab({ machines: ['a'] })
      console.log(lab.run)
      setInterval(() => {}, 1e6)`
    const other = spawn(process.execPath, [
      '--disable-warning=ExperimentalWarning',
      '--input-type=module',
      '-e',
      script,
    ])
    let run = ''
    other.stdout.on('data', (chunk: Buffer) => (run += chunk.toString().trim()))
    await expect.poll(() => run).toMatch(/^[0-9a-f]{6}$/)
    const folder = `${labsFolder(labFolder)}/${run}`
    expect((await remains(folder)).join()).toContain('processes of a')
    expect(await removeAbandonedLabs(labFolder)).not.toContain(run)
    other.kill('SIGKILL')
    await once(other, 'exit')
    await expect.poll(async () => (await removeAbandonedLabs(labFolder)).includes(run)).toBe(true)
    expect(await remains(folder)).toEqual([])
    expect(existsSync(folder)).toBe(false)
    expect(await reaches('a', 'b')).toBe(true)
  })

  it('leaves nothing when it is closed', async () => {
    expect((await remains(lab.folder)).length).toBeGreaterThan(3)
    await lab.close()
    expect(await remains(lab.folder)).toEqual([])
    expect(existsSync(lab.folder)).toBe(false)
  })
})
