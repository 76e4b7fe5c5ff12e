import { mkdir, writeFile } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { detectProject } from '../../definitions/detect.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import type { CommonFlags, Session } from '../session.ts'

export async function init(session: Session, _flags: CommonFlags, dir: string): Promise<number> {
  const { out, host } = session
  const folder = resolve(host.cwd, dir)
  await mkdir(folder, { recursive: true })
  const { kind, service, found, yaml, ignore } = await detectProject(folder)
  const files = [await create(join(folder, 'tandem.yaml'), yaml)]
  if (ignore !== null) files.push(await create(join(folder, '.tandemignore'), ignore))
  const shown = files.map((file) => relative(host.cwd, file))
  const where = relative(host.cwd, folder)
  out.result({ service, kind, found, files }, () =>
    [
      `found ${found}`,
      `wrote ${shown.join(' and ')} for the service ${service}`,
      `  next  ${kind === 'unknown' ? 'write the start command into `run`' : 'read the file'}, then: tandem push${where === '' ? '' : ` ${where}`}`,
    ].join('\n'),
  )
  return 0
}

/** Creates a file; never overwrites one, even if another process creates it meanwhile. */
async function create(path: string, text: string): Promise<string> {
  try {
    await writeFile(path, text, { flag: 'wx' })
    return path
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    throw new OperatorError('E_FILE_EXISTS', 'the file exists already and was not overwritten', {
      subject: path,
      next: 'edit the file (tandem validate checks it), or move it and run tandem init again',
      cause: error,
    })
  }
}
