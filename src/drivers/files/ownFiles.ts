import { join } from 'node:path'
import { fillProgram } from '../../layout/files.ts'
import { exec } from '../../lib/exec.ts'
import { KeyedQueue } from '../../lib/keyedQueue.ts'
import { isCheckout, programFolder } from '../../lib/programFolder.ts'
import { renderAnswerSchema, type RenderAnswer, type RenderRequest } from '../../templates/request.ts'
import type { FilesHost } from './filesHost.ts'

/** A template loops in a process of its own: it can neither delay the agent nor take its memory. */
const usualLimits = { timeoutMs: 30_000, heapMegabytes: 256 }
type Limits = typeof usualLimits

/** Processes at once: an agent that starts fills in the files of all its services. */
const lanes = 2

/** Fills in files in child processes of the agent, on a laptop. */
export function ownFiles(env: NodeJS.ProcessEnv, limits = usualLimits): FilesHost {
  const queue = new KeyedQueue()
  let asked = 0
  return { fillIn: (request) => queue.run(String(asked++ % lanes), () => fillIn(request, env, limits)) }
}

async function fillIn(request: RenderRequest, env: NodeJS.ProcessEnv, limits: Limits): Promise<RenderAnswer> {
  const { timeoutMs, heapMegabytes } = limits
  const main = join(programFolder, isCheckout ? 'src/main.ts' : 'lib/main.js')
  const argv = [process.execPath, `--max-old-space-size=${heapMegabytes}`, main, 'agent', fillProgram]
  const { PATH, HOME, NODE_COMPILE_CACHE } = env
  try {
    const own = { PATH, HOME, NODE_COMPILE_CACHE }
    const { code, out } = await exec(argv, { timeoutMs, env: own, input: JSON.stringify(request) })
    if (code === 0) return renderAnswerSchema.parse(JSON.parse(out))
    if (code === bySignal) return { problem: 'the templates need too much memory' }
    throw new Error(`the program that fills in files exited with status ${code}`)
  } catch (error) {
    if (wasKilled(error)) return { problem: `the templates take longer than ${timeoutMs / 1000} s` }
    throw error
  }
}

/** The exit status of `exec` for a program that a signal ended: Node aborts when its heap is full. */
const bySignal = 128

const wasKilled = (error: unknown): boolean =>
  error instanceof Error && error.cause instanceof Error && 'killed' in error.cause && error.cause.killed === true
