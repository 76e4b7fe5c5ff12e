import { z } from 'zod'
import type { ApiClient } from '../api/client.ts'
import { agentChannelPath } from '../api/operation.ts'
import type { Answer } from '../protocol/ask.ts'
import { changesQuery } from '../protocol/desiredChange.ts'
import type { ControllerConnection } from './controllerConnection.ts'

const takenSchema = z.object({ taken: z.boolean() })

/**
 * A connection to the controller over its API. Only the agent opens connections, so a machine needs no open port. Answers
 * stay open as long as somebody follows a log; reports never wait for them.
 */
export function httpConnection(client: ApiClient): ControllerConnection {
  const answering = client.apart()
  const post = async (path: string, body: object, signal: AbortSignal): Promise<unknown> => {
    const headers = { 'content-type': 'application/json' }
    const response = await client.raw('POST', path, { body: JSON.stringify(body), headers, signal })
    return JSON.parse(await response.text())
  }
  return {
    messages: (signal) => client.rawStream(`/agent/stream?${new URLSearchParams(changesQuery).toString()}`, { signal }),
    report: (body, signal) => client.call('report', { body }, signal),
    reportChange: async (change, signal) => takenSchema.parse(await post('/agent/report-changes', change, signal)),
    answer: async (id, answers) => {
      const headers = { 'content-type': 'application/x-ndjson' }
      const response = await answering.raw('POST', `/agent/answers/${id}`, { body: ndjson(answers), headers })
      await response.text()
    },
    post,
    channel: (id) => client.channel(agentChannelPath(id)),
  }
}

async function* ndjson(answers: AsyncIterable<Answer | null>): AsyncIterable<Uint8Array> {
  const encoder = new TextEncoder()
  for await (const answer of answers) yield encoder.encode(answer === null ? '\n' : `${JSON.stringify(answer)}\n`)
}
