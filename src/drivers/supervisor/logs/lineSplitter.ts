const newline = 0x0a
const carriageReturn = 0x0d

/**
 * Cuts a stream of bytes into lines of at most `lineBytes`; a longer line becomes several, never cut inside a
 * character. Bytes that are not UTF-8 become U+FFFD. Holds no more than one line.
 */
export interface LineSplitter {
  push(chunk: Buffer): string[]
  /** The last line, if the stream did not end in a newline. */
  end(): string[]
  /** Number of lines so far that were longer than the limit. */
  split(): number
}

export function createLineSplitter(lineBytes: number): LineSplitter {
  let rest = Buffer.alloc(0)
  let split = 0
  /** The line being read has already been counted. */
  let counted = false

  const take = (bytes: Buffer, lines: string[]): Buffer => {
    let left = bytes
    while (left.length > lineBytes) {
      const cut = characterBoundary(left, lineBytes)
      lines.push(left.toString('utf8', 0, cut))
      left = left.subarray(cut)
      if (!counted) split++
      counted = true
    }
    return left
  }

  return {
    push: (chunk) => {
      const lines: string[] = []
      let start = 0
      for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
        const part = chunk.subarray(start, end)
        const last = take(rest.length === 0 ? part : Buffer.concat([rest, part]), lines)
        // A line of exactly a multiple of the limit ends in a full piece; an empty piece exists only for an empty line.
        lines.push(withoutReturn(last).toString('utf8'))
        rest = Buffer.alloc(0)
        counted = false
        start = end + 1
      }
      // A copy, because the chunk belongs to a larger buffer that would stay in memory with it.
      rest = Buffer.from(take(Buffer.concat([rest, chunk.subarray(start)]), lines))
      return lines
    },
    end: () => {
      const last = withoutReturn(rest)
      rest = Buffer.alloc(0)
      return last.length === 0 ? [] : [last.toString('utf8')]
    },
    split: () => split,
  }
}

/** The last place at or before `at` where a UTF-8 character begins (RFC 3629: at most three bytes back). */
function characterBoundary(bytes: Buffer, at: number): number {
  for (let cut = at; cut > at - 4 && cut > 0; cut--) {
    if (((bytes[cut] ?? 0) & 0xc0) !== 0x80) return cut
  }
  return at
}

function withoutReturn(line: Buffer): Buffer {
  return line.at(-1) === carriageReturn ? line.subarray(0, -1) : line
}
