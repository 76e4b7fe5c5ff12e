import { request } from '../lib/nodeHttp.ts'
import { agentSelfSchema, type AgentSelf } from '../protocol/checkup.ts'

const answerMs = 5_000
const mostAnswerBytes = 4 * 1024 * 1024

/** What this machine's agent says of itself on its loopback port. Rejects when it does not answer. */
export function agentAnswer(port: number): Promise<AgentSelf> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path: '/self', timeout: answerMs, agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        text += chunk
        if (text.length > mostAnswerBytes) asked.destroy(new Error('its answer has no end'))
      })
      response.on('error', reject)
      response.on('end', () => {
        try {
          resolve(agentSelfSchema.parse(JSON.parse(text)))
        } catch (cause) {
          reject(new Error(`port ${port} answers as no agent of this version does`, { cause }))
        }
      })
    })
    asked.on('timeout', () => asked.destroy(new Error(`no answer on port ${port} within ${answerMs / 1000} s`)))
    asked.on('error', reject)
    asked.end()
  })
}
