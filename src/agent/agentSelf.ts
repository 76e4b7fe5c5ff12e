import type { AgentSelf } from '../protocol/checkup.ts'
import type { Agent } from './agent.ts'

/** What an agent says of itself, with what it could not do and the instances it has to do with; none while it starts. */
export function agentSelf(agent: Agent | null, about: Omit<AgentSelf, 'instances' | 'problems'>): AgentSelf {
  const instances = [...(agent?.instances.values() ?? [])].map(({ id, definition, state, port }) => ({
    ...{ id, service: definition.service, state, port },
  }))
  const refused = agent?.refused ? [agent.refused.message] : []
  return { ...about, problems: [...(agent?.problems() ?? []), ...refused], instances }
}
