import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { networkInterfaces } from 'node:os'
import { expect, it, onTestFinished } from 'vitest'
import { closedPortReason } from './closedPort.ts'

async function listenOn(host: string): Promise<number> {
  const server = createServer().listen(0, host)
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  return (server.address() as AddressInfo).port // it listens on TCP
}

const addresses = Object.values(networkInterfaces()).flat()
const hasIPv6 = addresses.some((one) => one?.address === '::1')
const other = process.platform === 'linux' ? addresses.find((one) => one?.family === 'IPv4' && !one.internal) : null

it.skipIf(!hasIPv6)('names the IPv6 loopback address if the instance listens there', async () => {
  const port = await listenOn('::1')
  expect(await closedPortReason(port)).toBe(`it listens on [::1]:${port} only; it must listen on its HOST, 127.0.0.1`)
})

it.skipIf(!other)('names another address if the instance listens there', async () => {
  const address = other?.address ?? ''
  const port = await listenOn(address)
  const must = 'it must listen on its HOST, 127.0.0.1'
  expect(await closedPortReason(port)).toBe(`it listens on ${address}:${port} only; ${must}`)
})

it('reports that nothing listens', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // it listens on TCP
  server.close()
  await once(server, 'close')
  expect(await closedPortReason(port)).toBe(`nothing listens on its PORT, ${port}`)
})
