import type { Links } from '../decision/links.ts'
import type { ConfigEvents } from '../events/configEvents.ts'

/** It follows from a call, not from an earlier event. */
export const configLinks: Links<ConfigEvents> = { ConfigChanged: () => ({}) }
