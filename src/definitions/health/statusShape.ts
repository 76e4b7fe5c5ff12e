import { isSeq } from 'yaml'
import { list } from '../shapes/list.ts'
import { refuse } from '../shapes/refusal.ts'
import { scalar, type Shape } from '../shapes/shape.ts'

const pattern = /^[2-5]\d\d(?:-[2-5]\d\d)?$/
const expects = 'a status such as 204, or a range such as 200-299'
const mostRanges = 20

const range: Shape<string> = scalar<string>({
  expects,
  blank: '200',
  schema: { type: ['string', 'integer'], pattern: pattern.source },
  kept: {
    ...{ kind: 'text' as const, least: 3, most: 7, pattern },
    refuse: (stored: string) => (isRange(stored) ? null : `is not ${expects}`),
  },
  parse: (written) => {
    if (isRange(written)) return written
    const family = /^([2-5])xx$/i.exec(written)?.[1]
    return refuse(
      `"${written.slice(0, 40)}" is not ${expects}`,
      family === undefined ? null : `${family}00-${family}99`,
    )
  },
})
const ranges = list(range, { what: 'statuses', least: 1, most: mostRanges })

/** One status, a range of them, or a list of both; stored as a list of texts. */
export const statusShape: Shape<string[]> = {
  schema: { anyOf: [range.schema, ranges.schema] },
  kept: ranges.kept,
  blank: [],
  store: (statuses) => statuses,
  read(raw, path, source) {
    const node = source.enter(raw, path)
    return isSeq(node) ? ranges.read(node, path, source) : [range.read(node, path, source)]
  },
}

function isRange(written: string): boolean {
  if (!pattern.test(written)) return false
  const [from, to = from] = bounds(written)
  return from !== undefined && to !== undefined && from <= to
}

const bounds = (written: string): number[] => written.split('-').map(Number)

/** Whether an answer with this status is a good one; `statuses` is the stored form. */
export const isAccepted = (status: number, statuses: readonly string[]): boolean =>
  statuses.some((one) => {
    const [from = 0, to = from] = bounds(one)
    return status >= from && status <= to
  })
