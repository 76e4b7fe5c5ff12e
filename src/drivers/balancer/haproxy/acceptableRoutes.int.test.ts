import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { expect, it } from 'vitest'
import { cannotListen } from './acceptableRoutes.ts'

const host = '127.0.0.1'
const nobody = 65_534
const firstForAll = '/proc/sys/net/ipv4/ip_unprivileged_port_start'

async function freeLowPort(): Promise<number> {
  for (let port = 1_000; port > 900; port -= 1) if ((await cannotListen(host, port)) === null) return port
  throw new Error('all ports from 901 to 1000 are taken')
}

it('leaves ports below 1024 to HAProxy, which may use them, unless another process listens there', async ({ skip }) => {
  skip(process.getuid?.() !== 0, 'only root can become another user')
  skip(Number(readFileSync(firstForAll, 'utf8')) < 1_024, 'any user may listen below 1024 here')
  const port = await freeLowPort()
  const server = createServer().listen({ port, host })
  await once(server, 'listening')
  const asNobody = async (): Promise<string | null> => {
    process.seteuid?.(nobody)
    return cannotListen(host, port).finally(() => process.seteuid?.(0))
  }
  expect(await asNobody()).toBe('another process listens on the port')
  await new Promise((resolve) => server.close(resolve))
  expect(await asNobody()).toBeNull()
})
