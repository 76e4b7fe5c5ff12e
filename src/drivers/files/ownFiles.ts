import { exec } from '../../lib/exec.ts'
import { renderAnswerSchema, type RenderAnswer, type RenderRequest } from '../../templates/request.ts'
import { fillArgv, fillLimits } from './fillCommand.ts'
import type { FilesHost } from './filesHost.ts'

/** Fills in files in a child process of the agent, on a laptop. */
export const ownFiles = (env: NodeJS.ProcessEnv, limits = fillLimits): FilesHost => ({
  fillIn: ({ request }) => filled(request, env, limits),
  show: ({ request }) => filled(request, env, limits),
})

async function filled(
  request: RenderRequest,
  { PATH, HOME, NODE_COMPILE_CACHE }: NodeJS.ProcessEnv,
  limits: typeof fillLimits,
): Promise<RenderAnswer> {
  try {
    const { code, out } = await exec(fillArgv(limits), {
      timeoutMs: limits.timeoutMs,
      env: { PATH, HOME, NODE_COMPILE_CACHE },
      input: JSON.stringify(request),
    })
    if (code === 0) return renderAnswerSchema.parse(JSON.parse(out))
    if (code === bySignal) return { problem: 'the templates need too much memory' }
    throw new Error(`the program that fills in files exited with status ${code}`)
  } catch (error) {
    if (wasKilled(error)) return { problem: `the templates take longer than ${limits.timeoutMs / 1000} s` }
    throw error
  }
}

/** The exit status of `exec` for a program that a signal ended: Node aborts when its heap is full. */
const bySignal = 128

const wasKilled = (error: unknown): boolean =>
  error instanceof Error && error.cause instanceof Error && 'killed' in error.cause && error.cause.killed === true
