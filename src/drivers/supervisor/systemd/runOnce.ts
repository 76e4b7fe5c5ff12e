import type { Readable } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import type { Systemctl } from '../../../systemd/systemctl.ts'
import type { InstanceSpec, ProgramStreams } from '../supervisor.ts'
import { failedStart } from './failedStart.ts'
import { endingOf, noCredentials, type Ending } from './life.ts'
import type { UnitHost } from './unitHost.ts'
import { unitName } from './unitName.ts'
import { openStreams } from './unitStreams.ts'
import type { Credential } from './unitText.ts'

interface Work {
  spec: InstanceSpec
  credentials: readonly Credential[]
  /** Its standard input. */
  input: string
  withinMs: number
  /** Of its output and of its errors, the last bytes that are kept. */
  mostBytes: number
}

export interface Ended extends Pick<Ending, 'code' | 'signal'> {
  isLate: boolean
  out: string
  err: string
}

interface Around {
  /** Its streams must be those of this process only. */
  units: UnitHost
  systemctl: Pick<Systemctl, 'show'>
}

const startMs = 60_000
/** systemd sees the end of a process a moment after its output has ended; a program may close its output before. */
const [firstLookMs, lastLookMs] = [10, 500]

/** Runs a program in a unit of its own, as an instance runs, and waits for its end. Nothing is left of it. */
export async function runOnce({ spec: wanted, credentials, input, withinMs, mostBytes }: Work, around: Around) {
  const { units, systemctl } = around
  const spec: InstanceSpec = { ...wanted, once: true, attached: true }
  const unit = unitName(spec.service, spec.id)
  await remove(unit, units)
  try {
    await units.write(spec, credentials)
    const { stdin, stdout, stderr } = await started(spec, unit, around)
    stdin.end(input)
    const over = AbortSignal.timeout(withinMs)
    const [out = '', err = ''] = await Promise.all([stdout, stderr].map((stream) => tailOf(stream, mostBytes, over)))
    stdin.destroy()
    const ending = await endOf(unit, systemctl, over)
    if (ending?.code === noCredentials && credentials.length > 0)
      throw new Error(`systemd could not start ${unit} with its secrets: journalctl -u ${unit}`)
    return { code: null, signal: null, ...ending, isLate: ending === null, out, err } satisfies Ended
  } finally {
    await remove(unit, units)
  }
}

async function started(spec: InstanceSpec, unit: string, { units, systemctl }: Around): Promise<ProgramStreams> {
  const streams = openStreams(unit)
  try {
    const said = await units.start(unit, startMs)
    const state = said === null ? undefined : (await systemctl.show([unit])).get(unit)
    if (said !== null && !state?.lastPid) throw failedStart(spec, unit, state, said)
  } catch (error) {
    streams.close()
    throw error
  }
  return streams.connected()
}

async function remove(unit: string, units: UnitHost): Promise<void> {
  await units.stop(unit, startMs)
  await units.resetFailed(unit)
  await units.remove(unit)
}

/** `null`: the time is over. */
async function endOf(unit: string, systemctl: Around['systemctl'], over: AbortSignal): Promise<Ending | null> {
  for (let waitMs = firstLookMs; !over.aborted; waitMs = Math.min(waitMs * 1.5, lastLookMs)) {
    const state = (await systemctl.show([unit])).get(unit)
    if (!state?.lastPid) throw new Error(`${unit} was removed before its end was seen`)
    if (state.mainPid === 0 && state.code !== 0) return endingOf(state.lastPid, state, state.result)
    await pause(waitMs)
  }
  return null
}

/** The last bytes, when the stream has ended or the time is over. */
function tailOf(stream: Readable, most: number, over: AbortSignal): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  const { promise, resolve } = Promise.withResolvers<string>()
  const end = (): void => {
    over.removeEventListener('abort', end)
    stream.destroy()
    resolve(Buffer.concat(chunks).subarray(-most).toString('utf8'))
  }
  stream.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    bytes += chunk.length
    while (chunks[0] !== undefined && bytes - chunks[0].length >= most) bytes -= chunks.shift()?.length ?? 0
  })
  stream.once('end', end).once('error', end)
  over.addEventListener('abort', end)
  return promise
}
