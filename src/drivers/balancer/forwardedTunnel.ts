import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { BalancerServices } from './balancerServices.ts'
import { CarriedConnection } from './carriedConnection.ts'
import { endSoon } from './endSoon.ts'
import { forwardedHeader, tcpName } from './forwarding.ts'
import { ignoreLateError } from './openSocket.ts'
import { notForwarded, rawPage, unprocessed, type Page } from './pages.ts'

/** A CONNECT on the forwarding port: TCP work that the balancer of another machine forwards. */
export function serveTunnel(services: BalancerServices, request: IncomingMessage, socket: Socket, head: Buffer): void {
  socket.on('error', ignoreLateError)
  const refuse = (page: Page): void => {
    socket.write(rawPage(page), 'utf8')
    endSoon(socket, services.limits.lingerMs)
  }
  const name = tcpName(request.url ?? '')
  if (name === null || request.headers[forwardedHeader] === undefined) {
    services.metrics.refused('not-forwarded')
    return refuse(notForwarded())
  }
  if (head.length > 0) socket.unshift(head)
  new CarriedConnection(services, socket, {
    lookUp: () => services.table.tcpByName(name),
    forwarded: true,
    events: {
      accepted: () => void socket.write('HTTP/1.1 200 Connection established\r\n\r\n'),
      refused: () => refuse(unprocessed(`on port ${name}`)),
    },
  }).attempt()
}
