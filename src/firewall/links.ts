import type { Links } from '../decision/links.ts'
import type { FirewallEvents } from '../events/firewallEvents.ts'

export const firewallLinks: Links<FirewallEvents> = { ConnectionRefused: () => ({}) }
