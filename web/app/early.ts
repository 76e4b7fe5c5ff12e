import { beginEarly } from '../lib/early.ts'

// Stands in the page itself: see `earlyInline` in the configuration of the build.
globalThis.early = beginEarly()
