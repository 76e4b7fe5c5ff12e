import { createWriteStream, existsSync, renameSync, rmSync } from 'node:fs'
import { resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { OperatorError } from '../../lib/operatorError.ts'
import type { CommonFlags, Session } from '../session.ts'

export async function backUp(session: Session, _flags: CommonFlags, file: string): Promise<number> {
  const { host, out, signal } = session
  const path = resolve(host.cwd, file)
  if (existsSync(path))
    throw new OperatorError('E_USAGE', `${path} exists already`, { subject: path, next: 'give the name of a new file' })
  const { client, status } = await session.announce('back up the secrets')
  const answer = await client.raw('GET', '/secrets-backup', { signal })
  const part = `${path}.part`
  try {
    await pipeline(answer.body, createWriteStream(part, { mode: 0o600 }))
    renameSync(part, path)
  } catch (error) {
    rmSync(part, { force: true })
    throw error
  }
  out.result({ file: path, cluster: status.cluster }, () => `wrote ${path}; only a recovery key opens it`)
  out.note('keep it elsewhere; test it: age --decrypt -i recovery.txt FILE | tar --list')
  return 0
}

type RestoreFlags = CommonFlags & { identity: string; data: string; start: boolean }

export async function restore(session: Session, flags: RestoreFlags, file: string): Promise<number> {
  const { host, out } = session
  const data = resolve(host.cwd, flags.data)
  const restoring = { file: resolve(host.cwd, file), identity: resolve(host.cwd, flags.identity), data }
  const { cluster, words } = await (await host.entryPoints.here()).restoreController(restoring)
  const started = flags.start && (await host.entryPoints.startController(cluster, data, words))
  out.result({ cluster, data, started }, () => {
    const how = started
      ? 'the controller runs as tandem-controller.service'
      : `start the controller: tandem ${words.join(' ')}`
    return `restored cluster ${cluster} to ${data}; ${how}`
  })
  out.note(
    '  next  tandem controller recover   adopts what the machines run; they refuse an older event log until then',
  )
  return 0
}
