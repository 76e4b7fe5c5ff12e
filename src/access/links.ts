import type { Links } from '../decision/links.ts'
import type { AccessEvents } from '../events/accessEvents.ts'

const chain = (access: string): string => `access ${access}`

export const accessLinks: Links<AccessEvents> = {
  AccessStarted: ({ access }) => ({ opens: [chain(access)] }),
  AccessEnded: ({ access }) => ({ in: [chain(access)], ends: [chain(access)] }),
}
