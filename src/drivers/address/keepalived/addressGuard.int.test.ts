import { spawn, type ChildProcess } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { AddressGuard } from './addressGuard.ts'
import { bootMs, readState, writeWhole, type Word } from './guardFiles.ts'
import { HaproxyWatch } from './haproxyWatch.ts'
import { keepalivedFiles, trackFile, type KeepalivedFiles } from './keepalivedFiles.ts'
import { KeepalivedWatch } from './keepalivedWatch.ts'

const address = '10.0.0.50'
const soon = { interval: 10 }
const head = '# pxname,svname,qcur,status,\n'

/** Uses real sockets, files and processes; the test simulates only the parts that need root and a network card. */
describe.skipIf(process.platform !== 'linux')('the guard of a machine', () => {
  let folder: string
  let files: KeepalivedFiles
  let haproxy: Server | null = null
  let answers: (question: string) => string | null
  let asked: string[]
  const children: ChildProcess[] = []
  const sockets = new Set<Socket>()
  const here = new Set<string>()
  let tookOff: string[]
  let shut: string[]
  let connections = 0
  let guard: AddressGuard
  let looking: NodeJS.Timeout

  beforeEach(async () => {
    const parent = join(import.meta.dirname, '../../../../tmp')
    mkdirSync(parent, { recursive: true })
    folder = mkdtempSync(join(parent, 'g'))
    files = keepalivedFiles(folder, folder)
    mkdirSync(files.agent)
    asked = []
    answers = () => `${head}svc_web,BACKEND,0,UP,\n`
    ;[tookOff, shut, connections] = [[], [], 0]
    here.clear()
    await haproxyListens()
    keepalivedRuns()
    const settings = { machine: 'a', interface: 'eth0', addresses: [address], haproxy: socketPath(), advert: 100 }
    guard = new AddressGuard(settings, files, {
      haproxy: new HaproxyWatch(socketPath(), performance.now()),
      keepalived: new KeepalivedWatch(files, settings.advert),
      gate: {
        get isOpen() {
          return shut.length === 0
        },
        shut: async (one) => shut.push(one) > 0,
        open: async () => void (shut = []),
      },
      addressesHere: () => here,
      connectionsTo: () => connections,
      kill: (pid) => void process.kill(pid, 'SIGKILL'),
      takeOff: (one) => {
        tookOff.push(one)
        here.delete(one)
      },
      say: () => {},
    })
    looking = setInterval(() => guard.look(bootMs()), 20)
  })
  afterEach(async () => {
    clearInterval(looking)
    guard.close()
    for (const child of children.splice(0)) child.kill('SIGKILL')
    for (const socket of sockets) socket.destroy()
    sockets.clear()
    await new Promise((resolve) => (haproxy ? haproxy.close(resolve) : resolve(null)))
    rmSync(folder, { recursive: true })
  })

  const socketPath = (): string => join(folder, 's')

  async function haproxyListens(): Promise<void> {
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      sockets.add(socket)
      socket.setEncoding('utf8')
      socket.on('error', () => {})
      socket.on('data', (question: string) => {
        asked.push(question.trim())
        const answer = answers(question.trim())
        if (answer !== null) socket.end(answer)
      })
    })
    haproxy = server
    await new Promise<void>((resolve) => server.listen(socketPath(), resolve))
  }

  /** Processes that the system lists by the name of keepalived. */
  function keepalivedRuns(): number[] {
    const program = join(folder, 'keepalived')
    copyFileSync('/bin/sleep', program)
    const pids = [files.keepalivedPid, files.vrrpPid].map((file) => {
      const child = spawn(program, ['1000'], { stdio: 'ignore' })
      children.push(child)
      writeFileSync(file, `${child.pid}\n`)
      return child.pid ?? 0
    })
    return pids
  }

  const tracked = (): string => readFileSync(trackFile(folder, address), 'utf8').trim()
  const state = () => readState(files.state)
  const tell = (over: Partial<Word>): void =>
    writeWhole(files.word, { heardAt: bootMs(), eligible: true, yields: [], refused: [], othersServe: false, ...over })

  it('lets the machine hold the address while HAProxy answers, and reports since when', async () => {
    await expect.poll(tracked, soon).toBe('0')
    const before = Date.now()
    here.add(address)
    await expect.poll(() => state()?.held.map((one) => one.address), soon).toEqual([address])
    const since = Date.parse(state()?.held[0]?.since ?? '')
    expect(since).toBeGreaterThanOrEqual(before)
    expect(since).toBeLessThanOrEqual(Date.now())
    expect(asked).toContain('show stat -1 2 -1')
  })

  it('withholds the address when nothing listens at HAProxy’s socket, and allows it again when HAProxy has been healthy', async () => {
    await expect.poll(tracked, soon).toBe('0')
    await new Promise((resolve) => haproxy?.close(resolve))
    await expect.poll(tracked, soon).toBe('1')
    expect(state()?.withheld).toBe('HAProxy does not run')
    rmSync(socketPath(), { force: true })
    await haproxyListens()
    await expect.poll(tracked, soon).toBe('0')
    expect(state()?.withheld).toBe(null)
  })

  it('withholds the address when HAProxy accepts the query and never answers, and sends no second query meanwhile', async () => {
    await expect.poll(tracked, soon).toBe('0')
    answers = () => null
    const before = asked.length
    await expect.poll(tracked, soon).toBe('1')
    expect(state()?.withheld).toBe('HAProxy does not answer')
    expect(asked.length - before).toBeLessThanOrEqual(2)
  })

  it('withholds the address when HAProxy reaches no instance and another machine reaches one, and only then', async () => {
    answers = () => `${head}svc_web,BACKEND,0,DOWN,\nfwd_web,BACKEND,0,UP,\n`
    tell({ othersServe: true })
    await expect.poll(tracked, soon).toBe('1')
    tell({ othersServe: false })
    await expect.poll(tracked, soon).toBe('0')
  })

  it('reports which machines are reached while the address is refused', async () => {
    answers = (question) =>
      question === 'show stat -1 4 -1'
        ? `${head}svc_web,web-1,0,UP,\nsvc_web,peer:b,0,UP 1/2,\nsvc_web,peer:c,0,DOWN,\n`
        : `${head}svc_web,BACKEND,0,UP,\n`
    tell({ refused: [address] })
    await expect.poll(tracked, soon).toBe('1')
    await expect.poll(() => state()?.reaches, soon).toEqual(['b'])
  })

  it('gives up gently: new connections wait, connections under way end, then the address moves; all within a moment', async () => {
    here.add(address)
    connections = 1
    await expect.poll(tracked, soon).toBe('0')
    tell({ eligible: false })
    await expect.poll(() => shut, soon).toEqual([address])
    expect(tracked()).toBe('0')
    connections = 0
    await expect.poll(tracked, soon).toBe('1')
    expect(shut).toEqual([address])
    here.delete(address)
    await expect.poll(() => shut, soon).toEqual([])
    tell({})
    await expect.poll(tracked, soon).toBe('0')
    here.add(address)
    connections = 5
    tell({ yields: [address] })
    await expect.poll(tracked, soon).toBe('1')
  })

  it('accepts new connections again when giving up is cancelled', async () => {
    here.add(address)
    connections = 1
    await expect.poll(tracked, soon).toBe('0')
    tell({ yields: [address] })
    await expect.poll(() => shut, soon).toEqual([address])
    tell({})
    await expect.poll(() => shut, soon).toEqual([])
    expect(tracked()).toBe('0')
  })

  it('kills a keepalived that is frozen and holds an address, and removes its addresses', async () => {
    here.add(address)
    await expect.poll(() => state()?.held.length, soon).toBe(1)
    const [, vrrp] = children
    vrrp?.kill('SIGSTOP')
    await expect.poll(() => tookOff, soon).toEqual([address])
    await expect.poll(() => children.map(({ signalCode }) => signalCode), soon).toEqual(['SIGKILL', 'SIGKILL'])
  })

  it('removes the addresses that a killed keepalived left, and harms no process that has its number now', async () => {
    here.add(address)
    await expect.poll(() => state()?.held.length, soon).toBe(1)
    const other = spawn('/bin/sleep', ['1000'], { stdio: 'ignore' })
    children.push(other)
    writeFileSync(files.vrrpPid, `${other.pid}\n`)
    await expect.poll(() => tookOff, soon).toEqual([address])
    expect(other.signalCode).toBe(null)
  })

  it('does not touch a keepalived that holds nothing', async () => {
    children[1]?.kill('SIGSTOP')
    await expect.poll(() => asked.length, soon).toBeGreaterThan(20)
    expect(children[1]?.signalCode).toBe(null)
    expect(tookOff).toEqual([])
  })
})
