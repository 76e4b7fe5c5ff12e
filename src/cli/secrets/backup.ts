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
  const { host, out, signal } = session
  const data = resolve(host.cwd, flags.data)
  const restoring = { file: resolve(host.cwd, file), identity: resolve(host.cwd, flags.identity), data }
  const here = await host.entryPoints.here()
  const { cluster, words } = await here.restoreController(restoring)
  const started = flags.start && (await host.entryPoints.startController(cluster, data, words))
  if (started) out.note(`restored to ${data}; waiting for the machines to report`)
  const adopted = started && (await here.awaitAdoption({ data, signal }))
  out.result({ cluster, data, started, adopted }, () => {
    const how = started
      ? 'the controller runs as tandem-controller.service'
      : `start the controller: tandem ${words.join(' ')}`
    return `restored cluster ${cluster} to ${data}; ${how}${adopted ? ', and the machines obey it' : ''}`
  })
  if (!adopted) out.note(`  it adopts what the machines run once all have reported: tandem status   names the others`)
  out.note(
    '  if the former controller may still run, end it on its machine: systemctl disable --now tandem-controller\n' +
      '  (machines refuse it once they obey this one; until then they may obey it)',
  )
  return 0
}
