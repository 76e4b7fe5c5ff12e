import type { Wire } from './wire.ts'

/*
 * A minimal client for AMQP 0-9-1 (its specification, sections 1.4 and 4.2) that opens a channel without heartbeats and
 * sends requests on it. Most clients send heartbeats, which would hide how a proxy treats silent connections.
 */

type Method = [kind: number, method: number]

const start: Method = [10, 10]
const startOk: Method = [10, 11]
const tune: Method = [10, 30]
const tuneOk: Method = [10, 31]
const open: Method = [10, 40]
const openOk: Method = [10, 41]
const channelOpen: Method = [20, 10]
const channelOpenOk: Method = [20, 11]
const declare: Method = [50, 10]
const declareOk: Method = [50, 11]

const methodFrame = 1
const frameEnd = 0xce
const headBytes = 7
const emptyTable = u32(0)

/** Logs in as RabbitMQ's `guest`, negotiates no heartbeat, and opens a channel. */
export async function openAmqp(wire: Wire): Promise<void> {
  wire.write(Buffer.from('AMQP\0\0\x09\x01', 'latin1'))
  await answer(wire, start)
  send(wire, 0, startOk, [emptyTable, shortText('PLAIN'), longText('\0guest\0guest'), shortText('en_US')])
  const limits = await answer(wire, tune)
  const heartbeat = u16(0)
  send(wire, 0, tuneOk, [limits.subarray(0, 6), heartbeat])
  send(wire, 0, open, [shortText('/'), shortText(''), Buffer.of(0)])
  await answer(wire, openOk)
  send(wire, 1, channelOpen, [shortText('')])
  await answer(wire, channelOpenOk)
}

/** Declares a queue, and resolves once the broker has answered. */
export async function declareQueue(wire: Wire, name: string): Promise<void> {
  send(wire, 1, declare, [u16(0), shortText(name), Buffer.of(0), emptyTable])
  await answer(wire, declareOk)
}

function send(wire: Wire, channel: number, [kind, method]: Method, given: Buffer[]): void {
  const payload = Buffer.concat([u16(kind), u16(method), ...given])
  wire.write(Buffer.concat([Buffer.of(methodFrame), u16(channel), u32(payload.length), payload, Buffer.of(frameEnd)]))
}

/** Returns the arguments of the next frame, which must have this method. */
async function answer(wire: Wire, [kind, method]: Method): Promise<Buffer> {
  await wire.until((unread) => unread.length >= headBytes)
  const size = wire.unread.readUInt32BE(3)
  await wire.until((unread) => unread.length > headBytes + size)
  const payload = wire.take(headBytes + size + 1).subarray(headBytes, -1)
  if (payload.readUInt16BE(0) !== kind || payload.readUInt16BE(2) !== method) {
    throw new Error(`the broker sent ${payload.toString('latin1')}, not method ${kind}.${method}`)
  }
  return payload.subarray(4)
}

function shortText(text: string): Buffer {
  return Buffer.concat([Buffer.of(text.length), Buffer.from(text)])
}

function longText(text: string): Buffer {
  return Buffer.concat([u32(text.length), Buffer.from(text)])
}

function u16(value: number): Buffer {
  return Buffer.of(value >> 8, value & 0xff)
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
