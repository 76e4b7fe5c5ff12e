import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ask, type BalancerLab, httpRoute, readUntil } from '../balancerLab.ts'
import { childHaproxy } from './childHaproxy.ts'
import type { HaproxyBalancerOptions } from './haproxyBalancer.ts'
import { eachInALab, type HaproxyLab } from './haproxyLab.ts'
import { filesFor } from './openFiles.ts'

let lab: BalancerLab
let machines: HaproxyLab

eachInALab((balancers, haproxies) => ([lab, machines] = [balancers, haproxies]))

describe('limits', () => {
  /** HAProxy that may open this many files. */
  const withFiles = (files: number, connections?: number): Partial<HaproxyBalancerOptions> => {
    const program = join(machines.folder, `files-${files}`)
    writeFileSync(program, `#!/bin/sh\nulimit -n ${files}\nexec haproxy "$@"\n`, { mode: 0o755 })
    const process = childHaproxy({ program, master: join(machines.folder, 'a', 'run', 'master.sock') })
    return { process, ...(connections === undefined ? {} : { limits: { connections } }) }
  }

  it('are as low as the open files that the machine allows, and reported', async () => {
    const a = await machines.machine('a', withFiles(1_500))
    const x = await machines.instance('x-1')
    await a.route(httpRoute({ targets: [x.active] }))
    expect(a.balancer.problems?.()).toEqual([
      expect.stringMatching(/^HAProxy may open 1500 files: it accepts 675 connections of clients at once, or 337 that/),
    ])
    const config = readFileSync(join(machines.folder, 'a', 'haproxy.cfg'), 'utf8')
    await a.route(httpRoute({ targets: [x.active] }))
    expect(readFileSync(join(machines.folder, 'a', 'haproxy.cfg'), 'utf8')).toBe(config)
    expect(config).toMatch(/gt 675 \}/)
    expect((await ask(a.port)).status).toBe(200)
  })

  it('are not reduced if the machine allows the files that all connections can use', async () => {
    const a = await machines.machine('a', withFiles(filesFor(1_000), 1_000))
    const x = await machines.instance('x-1')
    await a.route(httpRoute({ targets: [x.active] }))
    expect(a.balancer.problems?.()).toEqual([])
    expect(readFileSync(join(machines.folder, 'a', 'haproxy.cfg'), 'utf8')).not.toMatch(/fe_conn.* gt (?!1000 )\d+ \}/)
  })

  it('count a forwarded connection twice if files are short', async () => {
    const b = await machines.machine('b', { limits: { connections: 3 } })
    const few = withFiles(300)
    const a = await machines.machine('a', { ...few, limits: { connections: 100 } })
    const x = await machines.instance('x-1')
    await a.route(httpRoute({ targets: [x.active] }))
    await b.route(httpRoute({ peers: [a.peer] }))
    expect((await ask(b.port)).body).toBe('x-1 0')
    expect(readFileSync(join(machines.folder, 'a', 'haproxy.cfg'), 'utf8')).toMatch(/add\(sess\.forward\) gt 135 \}/)
  })

  it('follow from the files of a connection: two for a client, four for a connection that another machine forwards', async () => {
    const [a, b] = await Promise.all([machines.machine('a'), machines.machine('b')])
    const x = await machines.instance('x-1')
    await a.route(httpRoute({ targets: [x.active] }))
    await b.route(httpRoute({ peers: [a.peer] }))
    const worker = await machines.workerOf('a')
    const files = (): number => readdirSync(`/proc/${worker}/fd`).length
    const hang = async (port: number): Promise<number> => {
      const [before, waiting] = [files(), x.hanging.length]
      for (let i = 0; i < 20; i += 1) ask(port, { path: '/hang' }).catch(() => {})
      await expect.poll(() => x.hanging.length).toBe(waiting + 20)
      return files() - before
    }
    // A check, or a connection that was idle, may begin or end meanwhile.
    expect(Math.round((await hang(a.port)) / 20)).toBe(2)
    expect(Math.round((await hang(b.port)) / 20)).toBe(4)
  })

  it('refuse one connection too many at once and count it; open connections continue', async () => {
    const a = await machines.machine('a', { limits: { connections: 3 } })
    const x = await machines.instance('x-1')
    await a.route(httpRoute({ targets: [x.active] }))
    // HAProxy counts a connection a moment before it accepts it, and each of its threads may try to accept the same
    // one. So one that comes alone may be refused too, and is opened again.
    const counted = (): number => a.balancer.counters().openConnections
    const open = async (many: number, tries = 5): Promise<Socket> => {
      const socket = (await lab.connect(a.port)).on('error', () => {})
      await expect.poll(() => socket.closed || counted() === many).toBe(true)
      expect(tries, 'HAProxy refuses one connection again and again').toBeGreaterThan(0)
      return socket.closed ? open(many, tries - 1) : socket
    }
    const sockets = [await open(1), await open(2), await open(3)]
    const before = a.refused('connections')
    await new Promise((resolve) =>
      connect(a.port, '127.0.0.1')
        .on('error', () => {})
        .on('close', resolve),
    )
    await expect.poll(() => a.refused('connections')).toBe(before + 1)
    expect(counted()).toBe(3)
    sockets[0]?.write('GET / HTTP/1.1\r\nHost: h\r\n\r\n')
    expect(await readUntil(sockets[0] as Socket, (text) => text.endsWith('x-1 0'))).toMatch(/^HTTP\/1.1 200 /) // there are three
  })

  it('refuse a body that is too large', async () => {
    const a = await machines.machine('a')
    const x = await machines.instance('x-1')
    await a.route(httpRoute({ targets: [x.active], bodyBytes: 1_000 }))
    expect((await ask(a.port, { method: 'POST', body: 'x'.repeat(1_000) })).status).toBe(200)
    expect((await ask(a.port, { method: 'POST', body: 'x'.repeat(1_001) })).status).toBe(413)
  })
})
