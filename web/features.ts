import type { BarLink, Page, WebFeature } from './lib/feature.ts'
import { logs } from './logs/feature.ts'
import { map } from './map/feature.ts'
import { machines } from './machines/feature.ts'
import { overview } from './overview/feature.ts'
import { rollouts } from './rollouts/feature.ts'
import { services } from './services/feature.ts'
import { timeline } from './timeline/feature.ts'

/** Here a feature hangs its pages, its links in the bar, its panels and its columns; the bar has this order. */
const features: WebFeature[] = [overview, rollouts, services, logs, timeline, machines, map]

export const pages: Page[] = features.flatMap((feature) => feature.pages ?? [])
export const barLinks: BarLink[] = features.flatMap((feature) => feature.bar ?? [])
export const paletteItems = features.flatMap((feature) => feature.palette ?? [])
