/** `tandem --context production status` is what people type; stricli wants flags behind the command. */
export function withGlobalFlagsBehind(argv: readonly string[]): string[] {
  let at = 0
  while (at < argv.length) {
    const word = argv[at] ?? ''
    if (word === '--json' || word.startsWith('--context=')) at += 1
    else if (word === '--context') at += 2
    else break
  }
  if (at === 0) return [...argv]
  const rest = argv.slice(at)
  const escape = rest.indexOf('--')
  const end = escape < 0 ? rest.length : escape
  return [...rest.slice(0, end), ...argv.slice(0, at), ...rest.slice(end)]
}

/** `controller run` and `agent run`: they take signals themselves. */
export function isProgram(args: readonly string[]): boolean {
  return (args[0] === 'controller' || args[0] === 'agent') && args[1] === 'run'
}
