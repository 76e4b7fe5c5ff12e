import { existsSync, readFileSync } from 'node:fs'
import type { HaproxyState, OwnConfiguration } from '../doctor/machineFacts.ts'
import { shapeIn } from '../drivers/balancer/haproxy/haproxyConfig.ts'
import { MasterSocket } from '../drivers/balancer/haproxy/masterSocket.ts'
import { exec } from '../lib/exec.ts'
import { sealOf } from '../lib/seal.ts'
import { openFilesOf } from './limitsHere.ts'

const askMs = 5_000
const checkMs = 30_000
const shownRefusalLength = 300
const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** A unit of its own: the root part, which may be who looks, has no sockets of the network, and HAProxy's check makes some. */
const asUnit = ['systemd-run', '--quiet', '--wait', '--pipe', '--collect', `--setenv=PATH=${path}`]

interface Place {
  path: string
  unit: string
}

/** Whose rights a check is given. */
export interface Checker {
  user: string
  group: string
  /** Lines of its unit. */
  jail: readonly string[]
}

/** HAProxy's file, what HAProxy says to it, and what the running one says of itself. */
export async function haproxyState(
  place: Place,
  { master, checker }: { master: string; checker: Checker | null },
): Promise<HaproxyState> {
  // It runs the script that its configuration names, also when it only checks: never with more rights than who wrote it.
  const own = await configuration(place, [...asChecker(checker), 'haproxy', '-c', '-f', place.path])
  const socket = new MasterSocket(master, askMs)
  const text = existsSync(place.path) ? readFileSync(place.path, 'utf8') : ''
  try {
    const { current, failedReloads } = await socket.workers()
    if (current === null) throw new Error('its master has no worker')
    const info = await socket.ask(current, 'show info')
    // Two for each connection that it is told to take.
    const needed = 2 * Number(/^Maxconn: (\d+)/m.exec(info)?.[1] ?? 0)
    const given = openFilesOf(current)?.most
    const files = given === undefined || needed === 0 ? null : { needed, given }
    return { ...own, silent: null, shapeOnDisk: shapeIn(text), shapeRunning: shapeIn(info), failedReloads, files }
  } catch (error) {
    const silent = error instanceof Error ? error.message : String(error)
    return { ...own, silent, shapeOnDisk: shapeIn(text), shapeRunning: null, failedReloads: 0, files: null }
  }
}

export async function keepalivedState(place: Place): Promise<OwnConfiguration> {
  return configuration(place, ['keepalived', '--config-test', '--use-file', place.path])
}

async function configuration(place: Place, check: string[]): Promise<OwnConfiguration> {
  if (!existsSync(place.path)) return { ...place, file: 'absent', refusal: null }
  const file = sealOf(readFileSync(place.path, 'utf8'))
  const { code, out, err } = await exec(check, { timeoutMs: checkMs, env: { PATH: path, LANG: 'C.UTF-8' } })
  return { ...place, file, refusal: code === 0 ? null : refusalIn(`${out}${err}`) }
}

/** Root takes the rights of the one that is named, not of whoever has put the file there: a link may be there a moment later. */
const asChecker = (checker: Checker | null): string[] =>
  checker === null || process.getuid?.() !== 0
    ? []
    : [
        ...[...asUnit, `--uid=${checker.user}`, `--gid=${checker.group}`],
        ...[...checker.jail, `RuntimeMaxSec=${checkMs / 1000}`].map((line) => `--property=${line}`),
        '--',
      ]

const refusalIn = (output: string): string => {
  const lines = output.trim().split('\n')
  return (lines.find((line) => line.includes('[ALERT]')) ?? lines.at(-1) ?? '').slice(0, shownRefusalLength)
}
