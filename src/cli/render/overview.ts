import type { ChangeView, Overview } from '../../api/overview.ts'
import { statusIn } from '../../api/overview.ts'
import type { Paint, Style } from '../paint.ts'
import { certificateLines, storeLines } from './kept.ts'
import { onOneLine } from './names.ts'
import { renderStatus } from './status.ts'

/** Number of changes that the terminal shows. */
const shownChanges = 8

export interface OverviewOptions {
  now: number
  paint: Paint
  /** Only this service, without the machines; `null`: the whole cluster. */
  service: string | null
}

/** The status, what checkups know, and the newest changes. */
export function renderOverview(overview: Overview, { now, paint, service }: OverviewOptions): string {
  const ofService = <T extends { service: string | null }>(all: T[]): T[] =>
    service === null ? all : all.filter((one) => one.service === service)
  const status = statusIn(overview)
  const shown = { ...status, services: ofService(status.services) }
  const changes = ofService(overview.changes).slice(0, shownChanges)
  const wrong = overview.wrong.filter((one) => service === null || one.service === null || one.service === service)
  const { certificates, store } = overview
  const parts = [
    [renderStatus(shown, { now, paint, whole: service === null, wrong })],
    ...(service === null ? [certificateLines(certificates, now, paint), storeLines(store)] : []),
    changes.length === 0 ? [] : ['CHANGED BEFORE', ...changes.map((one) => changeLine(one, paint))],
  ]
  return parts
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')
}

const colours: Partial<Record<ChangeView['sign'], Style>> = {
  failed: 'red',
  lost: 'red',
  reverted: 'yellow',
  warn: 'yellow',
  running: 'cyan',
}

/** `14:02:01Z  shop rollout 3f2a91bc04de → 77aa01fe93b2 started`. */
function changeLine({ at, sign, subject, text, by }: ChangeView, paint: Paint): string {
  const colour = colours[sign]
  const said = onOneLine(`${subject} ${text}`)
  return `${paint('dim', `${at.slice(11, 19)}Z`)}  ${colour ? paint(colour, said) : said}${by === null ? '' : paint('dim', `  ${onOneLine(by)}`)}`
}
