import { existsSync } from 'node:fs'
import { createConnection } from 'node:net'
import { request } from '../lib/nodeHttp.ts'
import { agentSelfSchema, selfSocketOf, type AgentSelf } from '../protocol/checkup.ts'

const answerMs = 5_000
const mostAnswerBytes = 4 * 1024 * 1024

/**
 * Reads the report of this machine's agent about itself from its socket in `data`. Rejects if the agent does not
 * answer.
 */
export async function agentAnswer(data: string, olderPort: number): Promise<AgentSelf> {
  const path = selfSocketOf(data)
  const [where, text] = existsSync(path) ? [path, read(createConnection(path), path)] : olderAnswer(olderPort)
  const answer = await text
  try {
    return agentSelfSchema.parse(JSON.parse(answer))
  } catch (cause) {
    throw new Error(`the answer on ${where} is not that of an agent of this version`, { cause })
  }
}

/** During an upgrade of a machine the agent may be older: it has no socket, and answers on its loopback port. */
function olderAnswer(port: number): [where: string, text: Promise<string>] {
  const where = `port ${port}`
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const asked = request({ host: '127.0.0.1', port, path: '/self', timeout: answerMs, agent: false }, (response) => {
    if (response.statusCode === 200) return void read(response, where).then(resolve, reject)
    response.resume()
    reject(
      new Error(
        `the answer on ${where} is not that of an agent known to this version of tandem doctor; is another version installed?`,
      ),
    )
  })
  asked.on('timeout', () => asked.destroy(new Error(`no answer on ${where} within ${answerMs / 1000} s`)))
  asked.on('error', reject)
  asked.end()
  return [where, promise]
}

/** Reads the stream to its end. */
async function read(
  stream: NodeJS.ReadableStream & { destroy: (error?: Error) => unknown },
  where: string,
): Promise<string> {
  const late = (): unknown => stream.destroy(new Error(`no answer on ${where} within ${answerMs / 1000} s`))
  const timer = setTimeout(late, answerMs)
  let text = ''
  try {
    stream.setEncoding('utf8')
    for await (const chunk of stream) {
      text += String(chunk)
      if (text.length > mostAnswerBytes) throw new Error(`the answer on ${where} is too long`)
    }
    return text
  } finally {
    clearTimeout(timer)
    stream.destroy()
  }
}
