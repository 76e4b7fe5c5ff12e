import { join } from 'node:path'
import { fillProgram } from '../../layout/files.ts'
import { exec } from '../../lib/exec.ts'
import { isCheckout, programFolder } from '../../lib/programFolder.ts'
import { renderAnswerSchema, type RenderAnswer } from '../../templates/request.ts'
import type { FilesHost } from './filesHost.ts'

/** A template loops in a process of its own: it can neither delay the agent nor take its memory. */
const usualLimits = { timeoutMs: 30_000, heapMegabytes: 256 }

/** Fills in files in a child process of the agent, on a laptop. */
export const ownFiles = (env: NodeJS.ProcessEnv, limits = usualLimits): FilesHost => ({
  fillIn: async (request) => {
    const main = join(programFolder, isCheckout ? 'src/main.ts' : 'lib/main.js')
    const argv = [process.execPath, `--max-old-space-size=${limits.heapMegabytes}`, main, 'agent', fillProgram]
    const { PATH, HOME, NODE_COMPILE_CACHE } = env
    try {
      const { code, out } = await exec(argv, {
        timeoutMs: limits.timeoutMs,
        env: { PATH, HOME, NODE_COMPILE_CACHE },
        input: JSON.stringify(request),
      })
      if (code === 0) return readAnswer(out)
      if (code === bySignal) return { problem: 'the templates need too much memory' }
      throw new Error(`the program that fills in files exited with status ${code}`)
    } catch (error) {
      if (wasKilled(error)) return { problem: `the templates take longer than ${limits.timeoutMs / 1000} s` }
      throw error
    }
  },
})

/** The exit status of `exec` for a program that a signal ended: Node aborts when its heap is full. */
const bySignal = 128

const wasKilled = (error: unknown): boolean =>
  error instanceof Error && error.cause instanceof Error && 'killed' in error.cause && error.cause.killed === true

const readAnswer = (out: string): RenderAnswer => renderAnswerSchema.parse(JSON.parse(out))
