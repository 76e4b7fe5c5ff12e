import { chmodSync, chownSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { makePipes, ourEnd } from '../process/programPipes.ts'
import type { ProgramStreams } from '../supervisor.ts'
import { streamsFolder } from '../../../layout/folders.ts'

/*
 * The standard streams of an attached program are named pipes: systemd opens one end for the unit and the agent opens
 * the other, so that no data passes through the privileged helper. systemd opens the pipes as root. So root owns their
 * folder, and the group of the agent may only traverse it: no other user can put a link to another file there.
 */

const folderOf = (unit: string): string => join(streamsFolder, unit.replace(/\.service$/, ''))

export const streamPaths = (unit: string): Record<'in' | 'out' | 'err', string> => ({
  in: join(folderOf(unit), 'in'),
  out: join(folderOf(unit), 'out'),
  err: join(folderOf(unit), 'err'),
})

/** `group`: the group whose members open the agent's ends. */
export async function makeStreams(unit: string, group: number): Promise<void> {
  const folder = folderOf(unit)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(streamsFolder, { recursive: true, mode: 0o755 })
  mkdirSync(folder, { mode: 0o700 })
  // Any user may open the pipes, because a program may open its own /dev/stdout again; no other user can enter this
  // folder.
  await makePipes(Object.values(streamPaths(unit)), '666')
  chownSync(folder, process.getuid?.() ?? 0, group)
  chmodSync(folder, 0o710)
}

export const removeStreams = (unit: string): void => rmSync(folderOf(unit), { recursive: true, force: true })

/** The agent's ends, opened before the unit is started: systemd waits for them. */
export function openStreams(unit: string): { connected: () => ProgramStreams; close: () => void } {
  const paths = streamPaths(unit)
  const ends = { in: ourEnd(paths.in, 'in'), out: ourEnd(paths.out, 'out'), err: ourEnd(paths.err, 'out') }
  return {
    connected: () => {
      const stdin = ends.in.connected()
      stdin.on('error', () => {}) // the program does not read its input, or has ended
      return { stdin, stdout: ends.out.connected(), stderr: ends.err.connected() }
    },
    close: () => Object.values(ends).forEach((end) => end.close()),
  }
}
