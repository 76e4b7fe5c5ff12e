/** A line of a chart. */
export interface Line {
  name: string
  /** In the order of the chart's times; `null`: not known. */
  values: readonly (number | null)[]
  tone: 'act' | 'old' | 'ink' | 'second' | 'bad'
  form: 'line' | 'dashed' | 'bars'
}

export interface Chart {
  title: string
  unit?: string
  lines: readonly Line[]
  /** The chart in a sentence, for everybody. */
  sentence: string
  /** The scale reaches at least this value. */
  least: number
  /** A value as people read it. */
  format: (value: number) => string
}

/** A moment that all charts mark. */
export interface Mark {
  at: number
  /** Stands above the charts; `null`: only a line. */
  text: string | null
  /** `now`: the present. */
  tone: 'act' | 'bad' | 'warn' | 'quiet' | 'now'
}
