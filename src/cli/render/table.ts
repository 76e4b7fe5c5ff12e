import { widthOf, type Paint } from '../paint.ts'

/**
 * Rows below a header. Each column is as wide as its widest cell. Cells may be painted; each is one line, whoever wrote
 * its text. No line ends in spaces.
 */
export function renderTable(head: readonly string[], rows: readonly (readonly string[])[], paint: Paint): string[] {
  const whole = rows.map((row) => row.map((cell) => cell.replaceAll(/[\r\n]+/g, ' ')))
  const widths = head.map((title, column) => Math.max(title.length, ...whole.map((row) => widthOf(row[column] ?? ''))))
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell + ' '.repeat(Math.max(0, (widths[column] ?? 0) - widthOf(cell))))
      .join('  ')
      .trimEnd()
  return [paint('dim', line(head)), ...whole.map(line)]
}
