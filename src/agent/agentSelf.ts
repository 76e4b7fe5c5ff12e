import type { AgentSelf } from '../protocol/checkup.ts'
import type { Agent } from './agent.ts'

/** The agent's report about itself: its problems and its instances. Both are empty while the agent starts. */
export function agentSelf(agent: Agent | null, about: Omit<AgentSelf, 'instances' | 'problems'>): AgentSelf {
  const instances = [...(agent?.instances.values() ?? [])].map(({ id, definition, state, port }) => ({
    ...{ id, service: definition.service, state, port },
  }))
  const refused = agent?.refused ? [agent.refused.message] : []
  return { ...about, problems: [...(agent?.problems() ?? []), ...refused], instances }
}
