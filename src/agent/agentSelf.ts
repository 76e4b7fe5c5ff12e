import type { AgentSelf } from '../protocol/checkup.ts'
import type { Agent } from './agent.ts'

/** What an agent says of itself, with the instances it has to do with; those of none while it starts. */
export function agentSelf(agent: Agent | null, about: Omit<AgentSelf, 'instances'>): AgentSelf {
  const instances = [...(agent?.instances.values() ?? [])].map(({ id, definition, state, port }) => ({
    ...{ id, service: definition.service, state, port },
  }))
  return { ...about, instances }
}
