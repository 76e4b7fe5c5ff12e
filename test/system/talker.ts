import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { request, type IncomingMessage } from 'node:http'
import { once } from 'node:events'
import { join } from 'node:path'
import type { CommandLine } from './commandLine.ts'
import type { Pushed } from './rollUnderLoad.ts'

interface TalkerText {
  name: string
  version: string
  /** Additional environment variables; programs/talker.mjs reads them. */
  env?: Record<string, string>
  /** Lines of the definition, in addition to or instead of the defaults. */
  more?: string
  health?: string
  rollout?: string
}

const usualHealth = '{ path: /health, every: 20ms }'
const usualRollout = '{ drain: 200ms }'

/** Definition of a service that starts, passes its probe and drains quickly. */
export function talker({ name, version, env = {}, more = '', health, rollout }: TalkerText): string {
  return `service: ${name}
run: [node, talker.mjs]
env: ${JSON.stringify({ VERSION: version, ...env })}
health: ${health ?? usualHealth}
rollout: ${rollout ?? usualRollout}
stop: { within: 1s }
${more}
`
}

/** Creates a folder to push. Returns its path. */
export function talkerFolder(laptop: CommandLine, text: TalkerText): string {
  const folder = join(laptop.folder, 'services', text.name, text.version)
  mkdirSync(folder, { recursive: true })
  cpSync(join(import.meta.dirname, 'programs/talker.mjs'), join(folder, 'talker.mjs'))
  writeFileSync(join(folder, 'marker.txt'), 'as it was published')
  writeFileSync(join(folder, 'tandem.yaml'), talker(text))
  return folder
}

export function pushTalker(laptop: CommandLine, text: TalkerText, ...flags: string[]): Promise<Pushed> {
  return laptop.json<Pushed>('push', talkerFolder(laptop, text), ...flags)
}

export interface Said {
  status: number
  version: string
  instance: string
  text: string
}

/** One request on a new connection. `host`: the requested host name. */
export async function ask(entry: string | undefined, path = '/', host?: string, method = 'GET'): Promise<Said> {
  const asking = request(`${entry}${path}`, {
    method,
    agent: false,
    ...(host === undefined ? {} : { headers: { host } }),
  })
  asking.end()
  const [response] = (await once(asking, 'response')) as [IncomingMessage] // the arguments of 'response'
  const parts: Buffer[] = []
  for await (const part of response) parts.push(part as Buffer) // no encoding was set
  const text = Buffer.concat(parts).toString()
  const { 'x-version': version, 'x-instance': instance } = response.headers
  return { status: response.statusCode ?? 0, version: String(version), instance: String(instance), text }
}
