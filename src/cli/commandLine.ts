/** Moves global flags behind the command: people type `tandem --context a status`, stricli needs flags last. */
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

/** True for `controller run` and `agent run`, which handle signals themselves. */
export function isProgram(args: readonly string[]): boolean {
  return (args[0] === 'controller' || args[0] === 'agent') && args[1] === 'run'
}
