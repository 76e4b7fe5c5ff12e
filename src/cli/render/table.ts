import { widthOf, type Paint } from '../paint.ts'

/** Rows under a head, columns as wide as their widest cell; cells may be painted. No line ends in spaces. */
export function renderTable(head: readonly string[], rows: readonly (readonly string[])[], paint: Paint): string[] {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => widthOf(row[column] ?? ''))))
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell + ' '.repeat(Math.max(0, (widths[column] ?? 0) - widthOf(cell))))
      .join('  ')
      .trimEnd()
  return [paint('dim', line(head)), ...rows.map(line)]
}
