import { join } from 'node:path'
import { takeTour } from '../../demo/tour.ts'
import { isCheckout, programFolder } from '../../lib/programFolder.ts'
import { rollSample } from '../follow/rollSample.ts'
import { renderDemo } from '../render/demo.ts'
import type { CommonFlags, Session } from '../session.ts'

/** Runs the tour. Exits with 0 only if no request failed and the broken release was reverted. */
export async function demo(session: Session, { keep }: CommonFlags & { keep: boolean }): Promise<number> {
  const { out, host, interrupts } = session
  const told = await takeTour({
    // The folder of an installed program may be read-only.
    base: isCheckout ? join(programFolder, '.tandem') : session.folders.cache,
    ...{ keep, env: host.env, signal: interrupts.signal, forced: interrupts.forced },
    note: (text) => out.note(text),
    warn: (text) => out.warn(text),
    roll: (client, folder) => rollSample(session, client, folder),
  })
  out.result(told, () => renderDemo({ ...told, paint: out.paint }))
  return told.passed ? 0 : 1
}
