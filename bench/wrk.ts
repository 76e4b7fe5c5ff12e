import { existsSync } from 'node:fs'
import { exec, execOrThrow } from '../src/lib/exec.ts'

export interface Throughput {
  perSecond: number
  p50Ms: number
  p99Ms: number
}

const installMs = 300_000
const units: Record<string, number> = { us: 0.001, ms: 1, s: 1000, m: 60_000 }

/** Debian's `wrk`, installed if it is missing. */
export async function installWrk(): Promise<void> {
  if (existsSync('/usr/bin/wrk')) return
  const options = { timeoutMs: installMs, env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } }
  const install = ['apt-get', 'install', '-y', '-qq', '--no-install-recommends', 'wrk']
  if ((await exec(install, options)).code === 0) return
  await execOrThrow(['apt-get', 'update', '-qq'], options)
  await execOrThrow(install, options)
}

export const wrkArguments = (seconds: number, url: string): string[] => [
  ...['wrk', '--threads', '1', '--connections', '32', '--duration', `${seconds}s`, '--latency', url],
]

/** Parses the output of `wrk --latency`. Throws if an answer was not a success. */
export function parseWrk(text: string): Throughput {
  const failed = /Non-2xx.*|Socket errors.*/.exec(text)
  if (failed) throw new Error(`not every request was answered: ${failed[0]}`)
  const perSecond = Number(/Requests\/sec:\s+([\d.]+)/.exec(text)?.[1])
  const found = { perSecond, p50Ms: quantileOf(text, '50'), p99Ms: quantileOf(text, '99') }
  if (Object.values(found).some((value) => Number.isNaN(value))) throw new Error(`unexpected output of wrk: ${text}`)
  return found
}

function quantileOf(text: string, percent: string): number {
  const [, value, unit = ''] = new RegExp(`^\\s+${percent}%\\s+([\\d.]+)(us|ms|s|m)$`, 'm').exec(text) ?? []
  return Number(value) * (units[unit] ?? Number.NaN)
}
