import { useSignal, type Signal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useLayoutEffect, useMemo, useRef } from 'preact/hooks'
import { addKeys } from '../lib/keys.ts'
import { indexIn, type Row } from './logModel.ts'
import { LogRow, OpenRow } from './logRow.tsx'
import { RowLayout } from './rowLayout.ts'

/** Rows beyond the visible ones that are there already when the list is moved. */
const spare = 20
/** Heights in pixels as `logs.css` has them; narrow: below 900 px. */
const heights = (isNarrow: boolean): { line: number; notice: number } =>
  isNarrow ? { line: 42, notice: 84 } : { line: 20, notice: 30 }
/** Lines before and after an open one. */
const aroundLines = 3

interface RowListProps {
  rows: readonly Row[]
  /** All rows, of which `rows` are those that hold the text. */
  all: readonly Row[]
  /** Steps when the rows have changed. */
  version: number
  service: string
  find: string
  today: string
  isFollowing: Signal<boolean>
}

interface Seen {
  top: number
  height: number
  isNarrow: boolean
}

/** A list that draws only the rows that can be seen. It stays where its reader is, or at the end while that is followed. */
export function RowList({ rows, all, version, service, find, today, isFollowing }: RowListProps): JSX.Element {
  const scroller = useRef<HTMLDivElement>(null)
  const openRow = useRef<HTMLDivElement>(null)
  const seen = useSignal<Seen>({ top: 0, height: 800, isNarrow: false })
  const [opened, openPx] = [useSignal<number | null>(null), useSignal(0)]
  const chosen = useSignal<number | null>(null)
  /** The first row that is seen, and how far it is moved out of view. */
  const anchor = useRef<{ row: Row; beyond: number } | null>(null)
  /** Where the list was moved to by itself: that is no wish of its reader. */
  const expected = useRef(0)
  const { top, height, isNarrow } = seen.value
  const layout = useMemo(
    () => layoutOf(rows, heights(isNarrow), opened.value, openPx.value),
    [rows, version, isNarrow, opened.value, openPx.value],
  )

  useLayoutEffect(() => {
    const { current } = scroller
    if (!current) return undefined
    const measure = (): void => {
      seen.value = { ...seen.peek(), height: current.clientHeight, isNarrow: innerWidth < 900 }
    }
    const observer = new ResizeObserver(measure)
    observer.observe(current)
    measure()
    return () => observer.disconnect()
  }, [])
  useLayoutEffect(() => {
    const px = openRow.current?.offsetHeight ?? 0
    if (opened.value !== null && px > 0 && px !== openPx.peek()) openPx.value = px
  })
  // Lines that come late or are dropped move the rows: the reader stays at the same one.
  useLayoutEffect(() => {
    const { current } = scroller
    if (!current) return
    if (isFollowing.value) current.scrollTop = current.scrollHeight
    // Unless its reader moved it just now.
    else if (anchor.current && Math.abs(current.scrollTop - seen.peek().top) <= 1) {
      const wanted = layout.topOf(indexIn(rows, anchor.current.row)) + anchor.current.beyond
      if (Math.abs(current.scrollTop - wanted) > 1) current.scrollTop = wanted
    } else return
    expected.current = current.scrollTop
  }, [version, find, isFollowing.value, openPx.value, opened.value, height, isNarrow])

  const moved = (): void => {
    const { current } = scroller
    if (!current) return
    const isWished = !(Math.abs(current.scrollTop - expected.current) <= 1)
    const isAtEnd = current.scrollHeight - current.scrollTop - current.clientHeight < 8
    if (isWished) expected.current = Number.NaN
    if (isWished && isAtEnd !== isFollowing.peek()) isFollowing.value = isAtEnd
    const index = layout.indexAt(current.scrollTop)
    const row = rows[index]
    anchor.current = row ? { row, beyond: current.scrollTop - layout.topOf(index) } : null
    seen.value = { ...seen.peek(), top: current.scrollTop }
  }

  const toggle = (seq: number): void => {
    isFollowing.value = false
    chosen.value = seq
    openPx.value = 0
    opened.value = opened.peek() === seq ? null : seq
  }
  useRowKeys({ rows, chosen, toggle, layout, scroller, opened, isFollowing })

  const first = Math.max(0, layout.indexAt(top) - spare)
  const last = Math.min(rows.length, layout.indexAt(top + height) + 1 + spare)
  return (
    <div class="scroller" ref={scroller} onScroll={moved} tabIndex={0} role="region" aria-label="output">
      <div role={rows.length === 0 ? undefined : 'list'} aria-label="lines">
        <Space px={layout.topOf(first)} />
        {rows.slice(first, last).map((row) =>
          row.seq === opened.value && row.kind === 'line' ? (
            <div key={row.seq} ref={openRow} role="listitem">
              <OpenRow
                {...{ row, service, today, close: () => toggle(row.seq) }}
                around={find === '' ? [row] : linesAround(all, row)}
              />
            </div>
          ) : (
            <LogRow
              key={row.seq}
              {...{ row, service, find, today, isChosen: row.seq === chosen.value, open: () => toggle(row.seq) }}
            />
          ),
        )}
        <Space px={layout.height - layout.topOf(last)} />
      </div>
    </div>
  )
}

/** Takes the room of rows that are not drawn. */
const Space = ({ px }: { px: number }): JSX.Element => <div style={{ height: `${px}px` }} role="presentation" />

function layoutOf(
  rows: readonly Row[],
  { line, notice }: { line: number; notice: number },
  opened: number | null,
  openPx: number,
): RowLayout {
  const higher: [number, number][] = []
  for (const [index, { kind, seq }] of rows.entries()) {
    if (kind !== 'line') higher.push([index, notice - line])
    else if (seq === opened && openPx > 0) higher.push([index, openPx - line])
  }
  return new RowLayout(rows.length, line, higher)
}

function linesAround(all: readonly Row[], row: Row): readonly Row[] {
  const index = indexIn(all, row)
  return all.slice(Math.max(0, index - aroundLines), index + aroundLines + 1)
}

interface RowKeys {
  rows: readonly Row[]
  chosen: Signal<number | null>
  opened: Signal<number | null>
  isFollowing: Signal<boolean>
  toggle: (seq: number) => void
  layout: RowLayout
  scroller: { current: HTMLDivElement | null }
}

function useRowKeys(now: RowKeys): void {
  const newest = useRef(now)
  newest.current = now
  useEffect(() => {
    const move = (step: number) => (): void => {
      const { rows, chosen, layout, scroller, isFollowing } = newest.current
      const { current } = scroller
      if (!current) return
      const known = rows.findIndex(({ seq }) => seq === chosen.peek())
      const from = known < 0 ? layout.indexAt(current.scrollTop + (step < 0 ? current.clientHeight : 0)) : known + step
      const index = Math.min(rows.length - 1, Math.max(0, from))
      const row = rows[index]
      if (!row) return
      isFollowing.value = false
      chosen.value = row.seq
      const [top, end] = [layout.topOf(index), layout.topOf(index + 1)]
      if (top < current.scrollTop) current.scrollTop = top
      else if (end > current.scrollTop + current.clientHeight) current.scrollTop = end - current.clientHeight
    }
    return addKeys([
      { keys: 'j', does: 'Next line', group: 'Lists and charts', run: move(1) },
      { keys: 'k', does: 'Line before', group: 'Lists and charts', run: move(-1) },
      {
        ...{ keys: 'Enter', does: 'Open or close the chosen line', group: 'Lists and charts' },
        run: () => {
          const { chosen, toggle } = newest.current
          if (chosen.peek() !== null) toggle(chosen.peek() ?? 0)
        },
      },
    ])
  }, [])
}
