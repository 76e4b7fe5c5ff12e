/** Uniform in [0, 1). */
export type Random = () => number

const pick = <T>(random: Random, from: readonly [T, ...T[]]): T => from[Math.floor(random() * from.length)] ?? from[0]
const chance = (random: Random, of: number): boolean => random() < of

/**
 * Names as bytes, one character each: few enough to repeat often, with pairs that differ only by case, space or escape.
 */
const names = [
  ...['a', 'A', 'b', 'B', 'ab', 'aB', 'AB', 'abc', 'ba', 'build', 'Build', 'a.b', 'a.B', 'x-y', 'c1', '_', '~'],
  ...['a b', 'b ', ' a', '#a', '!a', '[a]', 'a]', '\\a', 'a*', 'a?', '.a', 'a\r', 'a\t', '**', '-', '^', ':'],
  ...['\xc3\xa9', '\xc3\x89', 'a\xc3\xa9', '\xe9', '\xff'],
] as const

export const randomName = (random: Random): string => pick(random, names)

const atoms = [
  ...[
    '*',
    '*',
    '**',
    '***',
    '?',
    '??',
    'a*',
    '*b',
    'a?',
    '*.b',
    'a**b',
    '\\a',
    '\\ ',
    '\\#a',
    '\\!a',
    '\\*',
    '\\',
    '[',
    ']',
  ],
  ...[
    '[ab]',
    '[!a]',
    '[^a]',
    '[a-c]',
    '[A-C]',
    '[]a]',
    '[!]a]',
    '[a-]',
    '[-a]',
    '[a',
    '[\\]]',
    '[a\\-c]',
    '[c-a]',
    '[*]',
    '[/]',
  ],
  ...[
    '[[:alpha:]]',
    '[[:upper:]]*',
    '[[:lower:]]',
    '[[:digit:]]',
    '[[:space:]]',
    '[![:alnum:]]',
    '[[:punct:]]a',
    '[[:foo:]]',
  ],
  ...[
    '[[:graph:]b]',
    '[[:xdigit:]]',
    '[[:cntrl:]]',
    '[[:print:]]',
    '[[:blank:]]',
    '[[:a]',
    '[[:]',
    '[[::]]',
    '[\xc3\xa9]',
    '[a-\xff]',
  ],
] as const

function word(random: Random): string {
  const drawn = random()
  if (drawn < 0.55) return randomName(random)
  return drawn < 0.9 ? pick(random, atoms) : pick(random, atoms) + pick(random, chance(random, 0.5) ? names : atoms)
}

function pattern(random: Random): string {
  const words = Array.from({ length: pick(random, [1, 1, 1, 2, 2, 3, 4]) }, () => word(random))
  const glue = chance(random, 0.05) ? '\\/' : chance(random, 0.05) ? '//' : '/'
  const [sign, root] = [chance(random, 0.3) ? '!' : '', chance(random, 0.2) ? '/' : '']
  const between = words.flatMap((one) => (chance(random, 0.15) ? ['**', one] : [one])).join(glue)
  const end = pick(random, ['', '', '', '', '/', '/**', '/*', ' ', '  ', '\\ ', '\\  ', '\t', '\r', ' \r', '\0x'])
  return sign + root + between + end
}

/** Content of a random ignore file: patterns, comments, empty lines, with every kind of line end. */
export function randomIgnoreFile(random: Random): string {
  const odd = ['', '#a', ' ', '/', '!', '!/', '\\', '/*', '*', '!*/', '**', '//'] as const
  const lines = Array.from({ length: pick(random, [1, 2, 3, 5, 8]) }, () =>
    chance(random, 0.12) ? pick(random, odd) : pattern(random),
  )
  const end = chance(random, 0.15) ? '\r\n' : '\n'
  return (chance(random, 0.05) ? '\xef\xbb\xbf' : '') + lines.join(end) + pick(random, ['', end, end])
}
