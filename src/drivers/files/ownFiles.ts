import { join } from 'node:path'
import { fillProgram } from '../../layout/files.ts'
import { exec } from '../../lib/exec.ts'
import { isCheckout, programFolder } from '../../lib/programFolder.ts'
import { renderAnswerSchema, type RenderAnswer } from '../../templates/request.ts'
import type { FilesHost } from './filesHost.ts'

/** A template loops in a process of its own: it can neither delay the agent nor take its memory. */
const limits = { timeoutMs: 30_000, heapMegabytes: 256 }

/** Fills in files in a child process of the agent, on a laptop. */
export const ownFiles = (env: NodeJS.ProcessEnv): FilesHost => ({
  fillIn: async (request) => {
    const main = join(programFolder, isCheckout ? 'src/main.ts' : 'lib/main.js')
    const argv = [process.execPath, `--max-old-space-size=${limits.heapMegabytes}`, main, 'agent', fillProgram]
    const { PATH, HOME, NODE_COMPILE_CACHE } = env
    const { code, out } = await exec(argv, {
      timeoutMs: limits.timeoutMs,
      env: { PATH, HOME, NODE_COMPILE_CACHE },
      input: JSON.stringify(request),
    })
    return code === 0 ? readAnswer(out) : { problem: 'the templates need too much memory' }
  },
})

const readAnswer = (out: string): RenderAnswer => renderAnswerSchema.parse(JSON.parse(out))
